internal import Foundation
package import HTTPTransport
package import HTTPTypes
package import PKI
internal import Synchronization
package import Timekeeping

/// ACM's imported certificates in memory, at the level of the wire. As the real one it takes every import for a new one,
/// refuses tags with a re-import, keeps a certificate's key type, takes nothing that has run out, lists RSA 2048 alone
/// unless it is asked for more, and keeps what is used.
package final class InMemoryACM: HTTPExecutor {
    package struct Stored: Sendable {
        package var certificate: IssuedCertificate
        package var algorithm: String
        package var type = "IMPORTED"
        package var tags: [String: String]
        package var users: [String] = []
    }

    package enum Fault: Sendable {
        case refuse(String)
        /// It is carried out; the connection is lost before the answer.
        case loseAnswer
        case kill
        /// It is carried out, and the caller is no more.
        case killAfterwards
    }

    package struct Killed: Error {}

    private struct State {
        var stored: [String: Stored] = [:]
        var operations: [String] = []
        var fault: (@Sendable (_ operation: String, _ ordinal: Int) -> Fault?)?
        var count = 0
    }

    private let clock: VirtualClock
    private let region: String
    private let state = Mutex(State())

    package init(clock: VirtualClock, region: String = "eu-west-1") {
        self.clock = clock
        self.region = region
    }

    package var stored: [String: Stored] { state.withLock { $0.stored } }
    package var operations: [String] { state.withLock { $0.operations } }

    package func plan(_ fault: (@Sendable (_ operation: String, _ ordinal: Int) -> Fault?)?) {
        state.withLock { state in
            state.fault = fault
            state.operations = []
        }
    }

    package func change(_ arn: String, _ change: (inout Stored) -> Void) {
        state.withLock { state in
            guard var stored = state.stored[arn] else { return }
            change(&stored)
            state.stored[arn] = stored
        }
    }

    package func forget(_ arn: String) { state.withLock { $0.stored[arn] = nil } }

    // MARK: The network

    package func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        guard request.authority == "acm.\(region).amazonaws.com" else { return refusal("AccessDeniedException") }
        let target = HTTPField.Name("x-amz-target").flatMap { request.headerFields[$0] } ?? ""
        let operation = String(target.dropFirst("CertificateManager.".count))
        let members = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] ?? [:]
        let (plan, ordinal) = state.withLock { state in
            state.operations.append(operation)
            return (state.fault, state.operations.count)
        }
        switch plan?(operation, ordinal) {
        case .refuse(let code): return refusal(code)
        case .kill: throw Killed()
        case .loseAnswer:
            _ = try respond(to: operation, members)
            throw TransportError(.connectionLost, "The connection was lost.")
        case .killAfterwards:
            _ = try respond(to: operation, members)
            throw Killed()
        case nil: return try respond(to: operation, members)
        }
    }

    private func respond(to operation: String, _ members: [String: Any]) throws -> HTTPExchange {
        let arn = members["CertificateArn"] as? String
        if operation == "ImportCertificate" { return try importCertificate(members, arn: arn) }
        if operation == "ListCertificates" { return try list(members) }
        guard let arn, let found = stored[arn] else { return refusal("ResourceNotFoundException") }
        switch operation {
        case "DescribeCertificate":
            return try answer([
                "Certificate": [
                    "CertificateArn": arn, "Type": found.type, "Status": "ISSUED",
                    "KeyAlgorithm": found.algorithm.replacing("RSA_", with: "RSA-"),
                    "SubjectAlternativeNames": found.certificate.names.map(\.description),
                    "NotAfter": found.certificate.notAfter.seconds, "InUseBy": found.users,
                ]
            ])
        case "GetCertificate":
            return try answer(["Certificate": found.certificate.pem])
        case "ListTagsForCertificate":
            return try answer(["Tags": found.tags.map { ["Key": $0, "Value": $1] }])
        case "AddTagsToCertificate":
            for tag in members["Tags"] as? [[String: String]] ?? [] {
                change(arn) { $0.tags[tag["Key"] ?? ""] = tag["Value"] }
            }
            return HTTPExchange(response: HTTPResponse(status: .ok), body: [])
        case "DeleteCertificate":
            guard found.users.isEmpty else { return refusal("ResourceInUseException") }
            forget(arn)
            return HTTPExchange(response: HTTPResponse(status: .ok), body: [])
        default:
            return refusal("InvalidAction")
        }
    }

    private func importCertificate(_ members: [String: Any], arn: String?) throws -> HTTPExchange {
        func text(_ name: String) -> String? {
            (members[name] as? String).flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
        }
        let certificate = try IssuedCertificate(pem: text("Certificate") ?? "")
        let key = try KeyPair(pkcs8PEM: text("PrivateKey") ?? "")
        let algorithm = [
            KeyAlgorithm.ecP256: "EC_prime256v1", .ecP384: "EC_secp384r1",
        ][key.algorithm, default: key.algorithm.rawValue]
        let tags = members["Tags"] as? [[String: String]] ?? []
        guard key.publicKey == certificate.publicKey, clock.now < certificate.notAfter,
            arn == nil || (tags.isEmpty && stored[arn ?? ""]?.algorithm == algorithm)
        else { return refusal("ValidationException") }
        let made = state.withLock { state in
            state.count += 1
            let name = arn ?? "arn:aws:acm:\(region):111122223333:certificate/\(state.count)"
            let old = state.stored[name]
            state.stored[name] = Stored(
                certificate: certificate, algorithm: algorithm,
                tags: old?.tags
                    ?? Dictionary(tags.map { ($0["Key"] ?? "", $0["Value"] ?? "") }) { first, _ in first },
                users: old?.users ?? [])
            return name
        }
        return try answer(["CertificateArn": made])
    }

    private func list(_ members: [String: Any]) throws -> HTTPExchange {
        let types = (members["Includes"] as? [String: [String]])?["keyTypes"] ?? ["RSA_2048"]
        let found = stored.filter { types.contains($0.value.algorithm) }.sorted { $0.key < $1.key }
        // A page of one, so that all pages have to be read.
        let start = Int(members["NextToken"] as? String ?? "0") ?? 0
        var page: [String: Any] = [
            "CertificateSummaryList": found.dropFirst(start).prefix(1).map { arn, stored in
                [
                    "CertificateArn": arn, "Type": stored.type, "KeyAlgorithm": stored.algorithm,
                    "SubjectAlternativeNameSummaries": stored.certificate.names.map(\.description),
                ] as [String: Any]
            }
        ]
        if start + 1 < found.count { page["NextToken"] = String(start + 1) }
        return try answer(page)
    }

    private func answer(_ members: [String: Any]) throws -> HTTPExchange {
        HTTPExchange(
            response: HTTPResponse(status: .ok), body: Array(try JSONSerialization.data(withJSONObject: members)))
    }

    private func refusal(_ code: String) -> HTTPExchange {
        HTTPExchange(
            response: HTTPResponse(status: .badRequest), body: Array(#"{"__type":"\#(code)","message":"No."}"#.utf8))
    }
}
