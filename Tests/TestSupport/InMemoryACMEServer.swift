internal import Crypto
internal import Foundation
package import HTTPTransport
package import HTTPTypes
internal import SigV4
internal import Synchronization
package import Timekeeping

/// An ACME server (RFC 8555) in memory that checks what a real one checks: nonces, signatures, URLs, states.
package final class InMemoryACMEServer: HTTPExecutor {
    package struct Request: Hashable, Sendable {
        /// The path's first part: `newOrder`, `challenge`, …
        package let name: String
        package let payload: String
        package let userAgent: String
    }

    /// What may go wrong with one request.
    package enum Fault: Sendable {
        /// It never arrives.
        case unreachable
        /// It is carried out, and its answer lost.
        case answerLost
        /// Refused with this problem type, status and fields.
        case refused(String, Int, [String: String] = [:], detail: String = "Told by the server.")
    }

    package struct Behaviour: Sendable {
        /// Of each this many nonces only one is taken; 1 takes all.
        package var nonceShare = 1
        package var profiles: [String: String]?
        /// How many times an authorization or an order is answered with "not yet".
        package var polls = 1
        /// Seconds that it asks to wait with each such answer of an authorization.
        package var retryAfter: Int?
        /// Whether the answer for a domain stands; the server believes what this says.
        package var validates: @Sendable (_ domain: String, _ keyAuthorization: String) -> Bool = { _, _ in true }
        package var lifetime: Duration = .days(90)
        package var renewalWindow: (start: UnixInstant, end: UnixInstant)?
        package var refusesReplacement = false
        /// Whether an account that has ended is told its status. RFC 8555, section 7.3.6, has it refused.
        package var tellsStatus = false
        package var fault: @Sendable (Request, _ ordinal: Int) -> Fault? = { _, _ in nil }

        package init() {}
    }

    struct State {
        var nonces: Set<String> = []
        var handedOut = 0
        var requests: [Request] = []
        var accounts: [String: String] = [:]
        var keys: [String: P256.Signing.PublicKey] = [:]
        /// Of accounts that are not valid any more, by their URLs.
        var ended: [String: String] = [:]
        var orders: [Int: InMemoryOrder] = [:]
        var authorizations: [Int: InMemoryAuthorization] = [:]
        var certificates: [Int: String] = [:]
        var revoked: [String] = []
        var nextID = 1
    }

    package static let directory = "https://ca.test/directory"
    static let base = "https://ca.test"

    let clock: any WallClock
    let state = Mutex(State())
    private let settings: Mutex<Behaviour>
    let authority = TestAuthority()

    package init(clock: any WallClock, behaviour: Behaviour = Behaviour()) {
        self.clock = clock
        self.settings = Mutex(behaviour)
    }

    package func change(_ change: (inout Behaviour) -> Void) { settings.withLock { change(&$0) } }
    package var behaviour: Behaviour { settings.withLock { $0 } }
    package var requests: [Request] { state.withLock { $0.requests } }
    package func count(_ name: String) -> Int { requests.count { $0.name == name } }
    package var accountURLs: [String] { state.withLock { Array($0.accounts.values) } }
    package var revokedCertificates: [String] { state.withLock { $0.revoked } }

    /// As if the owner had deactivated all accounts there are, or the server had revoked them.
    package func endAccounts(_ status: String = "deactivated") {
        state.withLock { state in
            for url in state.accounts.values { state.ended[url] = status }
        }
    }

    /// As if the server's disk had been lost.
    package func forgetAccounts() {
        state.withLock { state in
            state.accounts = [:]
            state.keys = [:]
        }
    }

    package func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        let behaviour = behaviour
        let path = String((request.path ?? "/").dropFirst())
        let name = String(path.prefix { $0 != "/" })
        let jws = body.isEmpty ? nil : try? JSONDecoder().decode(InMemoryJWS.self, from: Data(body))
        let entry = Request(
            name: name, payload: jws?.payloadText ?? "", userAgent: request.headerFields[.userAgent] ?? "")
        let ordinal = state.withLock { state in
            state.requests.append(entry)
            return state.requests.count
        }
        let fault = behaviour.fault(entry, ordinal)
        if case .unreachable? = fault { throw TransportError(.connectFailed, "scripted") }
        var answer: InMemoryAnswer
        if case .refused(let type, let status, let fields, let detail)? = fault {
            answer = .problem(type, status, detail)
            answer.fields.merge(fields) { $1 }
        } else {
            answer = state.withLock { state in
                do throws(InMemoryAnswer) {
                    return try respond(
                        to: request, path: path, jws: jws, behaviour: behaviour, state: &state)
                } catch {
                    return error
                }
            }
        }
        if case .answerLost? = fault { throw TransportError(.connectionLost, "scripted") }
        return exchange(answer)
    }

    private func exchange(_ answer: InMemoryAnswer) -> HTTPExchange {
        let nonce = state.withLock { state in
            state.handedOut += 1
            let nonce = "nonce-\(state.handedOut)"
            state.nonces.insert(nonce)
            return nonce
        }
        var head = HTTPResponse(status: .init(code: answer.status))
        head.headerFields[named: "Replay-Nonce"] = nonce
        for (name, value) in answer.fields { head.headerFields[named: name] = value }
        return HTTPExchange(response: head, body: Array(answer.body.utf8))
    }
}
