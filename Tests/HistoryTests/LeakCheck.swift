import Glibc
import InMemoryLogging
import ProviderTestSupport

/// Looks for what may be nowhere but in the request and in the certificate bucket.
struct LeakCheck {
    let world: World

    func run() {
        let logs = world.logs.entries.map { "\($0.message) \($0.metadata) \($0.error.map { "\($0)" } ?? "")" }
            .joined(separator: "\n")
        let answers = world.inbox.bodies.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        let errors = world.ledger.errors.joined(separator: "\n")
        // The credentials, the session's token and every ResponseURL's signature have this word.
        let secrets = ["secret", "PRIVATE KEY", TemplateProperties.marker] + world.ledger.keyFragments
        for (place, text) in [("a log", logs), ("an answer", answers), ("an error", errors)] {
            for secret in secrets where text.has(secret) {
                world.ledger.report(.noSecret, "\(place) has \(secret.prefix(14))")
            }
        }
    }
}

extension String {
    /// The C library's search: histories write a lot.
    func has(_ text: String) -> Bool {
        unsafe withCString { whole in unsafe text.withCString { unsafe strstr(whole, $0) != nil } }
    }
}
