import Foundation
import HTTPTransport
import HTTPTypes
import Synchronization
import TestSupport
import Timekeeping

/// IAM's server certificates in memory, at the level of the wire. As in the real one a name is taken once, what is used
/// stays, and an upload is found some time after it was made only.
final class InMemoryIAM: HTTPExecutor {
    struct Stored: Sendable {
        var path: String
        var body: String
        var visibleAt: UnixInstant
        var isUsed = false
    }

    private struct State {
        var stored: [String: Stored] = [:]
        var actions: [String] = []
        var isFull = false
        var losesUpload = false
    }

    private let clock: VirtualClock
    private let delay: Duration
    private let state = Mutex(State())

    init(clock: VirtualClock, delay: Duration = .seconds(7)) {
        self.clock = clock
        self.delay = delay
    }

    var stored: [String: Stored] { state.withLock { $0.stored } }
    var actions: [String] { state.withLock { $0.actions } }

    func change(_ name: String, _ change: (inout Stored?) -> Void) {
        state.withLock { change(&$0.stored[name]) }
    }

    func fill() { state.withLock { $0.isFull = true } }
    /// The answer to the next upload is lost.
    func loseUpload() { state.withLock { $0.losesUpload = true } }

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        let form = Dictionary(
            String(decoding: body, as: UTF8.self).split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts.last ?? "").removingPercentEncoding ?? "")
            }
        ) { first, _ in first }
        let action = form["Action"] ?? "", name = form["ServerCertificateName"] ?? "", now = clock.now
        let (answer, isLost) = state.withLock { state in
            state.actions.append(action)
            let isLost = action == "UploadServerCertificate" && state.losesUpload
            if isLost { state.losesUpload = false }
            return (respond(to: action, name, form, now, &state), isLost)
        }
        if isLost { throw TransportError(.connectionLost, "The connection was lost.") }
        return answer
    }

    private func respond(
        to action: String, _ name: String, _ form: [String: String], _ now: UnixInstant, _ state: inout State
    ) -> HTTPExchange {
        switch (action, state.stored[name]) {
        case ("UploadServerCertificate", let found):
            guard found == nil else { return refusal("EntityAlreadyExists", 409) }
            guard !state.isFull else { return refusal("LimitExceeded", 409) }
            let made = Stored(
                path: form["Path"] ?? "/", body: form["CertificateBody"] ?? "", visibleAt: now.advanced(by: delay))
            state.stored[name] = made
            return result(action, metadata(name, made))
        case ("GetServerCertificate", let found?) where found.visibleAt <= now:
            return result(
                action,
                "<ServerCertificate>\(metadata(name, found))<CertificateBody>\(found.body)</CertificateBody>"
                    + "</ServerCertificate>")
        case ("DeleteServerCertificate", let found?):
            guard !found.isUsed else { return refusal("DeleteConflict", 409) }
            state.stored[name] = nil
            return HTTPExchange(response: HTTPResponse(status: .ok), body: Array("<DeleteResponse/>".utf8))
        default:
            return refusal("NoSuchEntity", 404)
        }
    }

    private func metadata(_ name: String, _ stored: Stored) -> String {
        "<ServerCertificateMetadata><ServerCertificateName>\(name)</ServerCertificateName><Path>\(stored.path)</Path>"
            + "<Arn>arn:aws:iam::111122223333:server-certificate\(stored.path)\(name)</Arn></ServerCertificateMetadata>"
    }

    private func result(_ action: String, _ xml: String) -> HTTPExchange {
        HTTPExchange(
            response: HTTPResponse(status: .ok),
            body: Array("<\(action)Response><\(action)Result>\(xml)</\(action)Result></\(action)Response>".utf8))
    }

    private func refusal(_ code: String, _ status: Int) -> HTTPExchange {
        HTTPExchange(
            response: HTTPResponse(status: .init(code: status)),
            body: Array(
                "<ErrorResponse><Error><Code>\(code)</Code><Message>It is used by arn:aws:x.</Message></Error></ErrorResponse>"
                    .utf8))
    }
}
