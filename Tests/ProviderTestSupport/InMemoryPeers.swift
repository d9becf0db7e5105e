internal import CertificateIssuance
internal import Diagnostics
package import HTTPTransport
package import HTTPTypes
package import TestSupport
package import Timekeeping

/// Everybody that a provider talks to, in memory. Each request goes to the peer that its host names.
package struct InMemoryPeers: HTTPExecutor {
    package let s3: InMemoryS3
    package let inbox: ReplyInbox
    /// The peers of `Custom::LetsEncryptCertificate` alone; nil for a backend provider.
    package let front: Front?

    package struct Front: Sendable {
        package let dns: InMemoryRoute53
        package let acm: InMemoryACM
        package let authority: InMemoryACMEServer

        /// A CA that looks for its challenges in the zone `example.com`.
        package init(clock: VirtualClock) {
            let dns = InMemoryRoute53(clock: clock)
            dns.addZone("ZA", "example.com")
            self.dns = dns
            acm = InMemoryACM(clock: clock)
            authority = InMemoryACMEServer(clock: clock)
            authority.change {
                $0.validates = { domain, keyAuthorization in
                    let answer = ChallengeAnswer(
                        domain: domain, token: "", keyAuthorization: .init(keyAuthorization))
                    return dns.visibleTexts("_acme-challenge.\(domain)").contains(answer.recordValue)
                }
            }
        }
    }

    package init(s3: InMemoryS3, inbox: ReplyInbox, front: Front? = nil) {
        self.s3 = s3
        self.inbox = inbox
        self.front = front
    }

    package enum Peer: Sendable {
        case s3
        /// CloudFormation's bucket, which takes the responses.
        case inbox
        case dns
        case acm
        case authority
    }

    package static func peer(of request: HTTPRequest) -> Peer {
        let host = request.authority ?? ""
        if host.hasPrefix("cloudformation-custom-resource-response-") { return .inbox }
        if host.hasPrefix("route53.") { return .dns }
        if host.hasPrefix("acm.") { return .acm }
        if host == "ca.test" || host.hasPrefix("acme-staging-") { return .authority }
        return .s3
    }

    package func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        let receiver: (any HTTPExecutor)? =
            switch Self.peer(of: request) {
            case .s3: s3
            case .inbox: inbox
            case .dns: front?.dns
            case .acm: front?.acm
            case .authority: front?.authority
            }
        guard let receiver else { throw TransportError(.connectFailed, "No such host.") }
        return try await receiver.execute(request, body: body, deadline: deadline)
    }

    /// What a request's peer says when it refuses the request with a status (403, 409, 412, 500, 503). Where S3 speaks
    /// of conditional writes (409, 412) the others say that they are busy (409) or that the request is wrong (412).
    package static func refusal(
        _ status: Int, to request: HTTPRequest, at now: UnixInstant
    ) -> HTTPExchange {
        switch peer(of: request) {
        case .s3: return InMemoryS3.refusal(status, to: request, at: now)
        case .inbox: return HTTPExchange(response: HTTPResponse(status: .init(code: status)))
        case .dns, .acm, .authority: break
        }
        let (status, code, problem) =
            switch status {
            case 403: (403, "AccessDenied", "unauthorized")
            case 412: (400, "InvalidInput", "malformed")
            case 409, 503: (503, "ServiceUnavailable", "serverInternal")
            default: (500, "InternalFailure", "serverInternal")
            }
        let body =
            switch peer(of: request) {
            case .dns: "<ErrorResponse><Error><Code>\(code)</Code><Message>No.</Message></Error></ErrorResponse>"
            case .acm: #"{"__type":"\#(code)","message":"No."}"#
            default: #"{"type":"urn:ietf:params:acme:error:\#(problem)","detail":"No.","status":\#(status)}"#
            }
        return HTTPExchange(response: HTTPResponse(status: .init(code: status)), body: Array(body.utf8))
    }
}
