internal import CertificateIssuance
package import Timekeeping

/// A stack with the certificates in it that are due.
package struct DueStack: Hashable, Sendable {
    /// The stack's ARN.
    package let id: String
    /// The last part of the ARN.
    package let guid: String
    package let certificates: [DueCertificate]

    package init(id: String, guid: String, certificates: [DueCertificate]) {
        self.id = id
        self.guid = guid
        self.certificates = certificates
    }

    /// What the rotation parameters are to say. The values follow from the generations that are replaced, so that a
    /// repeated renewal asks for the same.
    package var rotations: [String: String] {
        Dictionary(certificates.map { ($0.rotationParameter, $0.nextRotation) }) { min($0, $1) }
    }

    var earliestExpiry: UnixInstant? { certificates.map(\.notAfter).min() }

    /// `[A-Za-z][A-Za-z0-9-]{0,127}`: one name for one renewal.
    var changeSetName: String {
        "stackcert-\(certificates.map { String($0.generation.prefix(16)) }.min() ?? "none")"
    }
}

/// One generation that is due, as its record has it.
package struct DueCertificate: Hashable, Sendable, Codable {
    package let logicalResourceID: String
    /// 64 lower-case hexadecimal digits.
    package let generation: String
    package let rotationParameter: String
    package let notBefore: UnixInstant
    package let notAfter: UnixInstant

    package init(
        logicalResourceID: String, generation: String, rotationParameter: String, notBefore: UnixInstant,
        notAfter: UnixInstant
    ) {
        self.logicalResourceID = logicalResourceID
        self.generation = generation
        self.rotationParameter = rotationParameter
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// The day on which the certificate that is replaced expires, and the beginning of its generation's digest.
    package var nextRotation: String { "\(notAfter.iso8601.prefix(10))-\(generation.prefix(8))" }
}
