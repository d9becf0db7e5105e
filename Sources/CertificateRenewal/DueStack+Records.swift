internal import CertificateIssuance
package import Timekeeping

extension DueStack {
    /// The certificates of a stack that are in use, as if all of them were due.
    ///
    /// - Parameter stackID: the stack's ARN.
    /// - Returns: nil when the provider has made no certificate for the stack.
    package static func certified(
        _ stackID: String, environment: RenewalEnvironment, deadline: UnixInstant
    ) async throws -> DueStack? {
        guard let guid = stackID.split(separator: "/").last.map(String.init) else { return nil }
        var newest: [String: CertificateRecord] = [:]
        for key in try await environment.state.keys(below: "records/\(guid)/", deadline: deadline)
        where !key.hasSuffix("/adopted.json") {
            let record = try await environment.state.document(CertificateRecord.self, at: key, deadline: deadline)
            guard let record = record?.document, record.stackID == stackID else { continue }
            // While servers change over there are two: the one that was claimed later is the live one.
            newest[record.logicalResourceID] = [newest[record.logicalResourceID], record].compactMap { $0 }
                .max { $0.claim.issuedAt < $1.claim.issuedAt }
        }
        let certificates = newest.values.compactMap(DueCertificate.init)
            .sorted { $0.logicalResourceID < $1.logicalResourceID }
        return certificates.isEmpty ? nil : DueStack(id: stackID, guid: guid, certificates: certificates)
    }

    /// `shop`, of the ARN.
    package var name: String { id.split(separator: "/").dropFirst().first.map(String.init) ?? id }

    /// Whether somebody who writes `text` means this stack: by its name or its ARN.
    package func isNamed(_ text: String) -> Bool { text == id || text == name }
}

extension DueCertificate {
    /// When the scheduled function renews it. Nil for a generation that cannot be read.
    package var due: UnixInstant? {
        Generation(generation).map {
            RenewalSchedule(notBefore: notBefore, notAfter: notAfter, generation: $0).due
        }
    }

    fileprivate init?(_ record: CertificateRecord) {
        guard let generation = record.address?.generation else { return nil }
        self.init(
            logicalResourceID: record.logicalResourceID, generation: generation.description,
            rotationParameter: record.settings.rotationParameter, notBefore: record.facts.notBefore,
            notAfter: record.facts.notAfter)
    }
}
