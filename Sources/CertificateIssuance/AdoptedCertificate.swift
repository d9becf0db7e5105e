internal import FoundationEssentials
internal import PKI
internal import Timekeeping

/// A certificate that system A's function made for a resource that is ours now (case 26). It is kept until a rotation.
package struct AdoptedCertificate: Hashable, Sendable, Codable {
    package let bucket: String
    /// `backend-certificate-<AppName>.json`.
    package let key: String
    /// The object's version when the resource was adopted; nil in a bucket without versions.
    package let versionID: String?
    /// The log stream's name that the stack knows the resource by.
    package let physicalResourceID: String
    /// What the generation would be, had we made it: any other asked for is a rotation.
    package let generation: String
    package let facts: CertificateFacts
    package let claim: Claim
    /// Whether the resource's use of the object is noted below ``SystemAObject/usesPrefix``, as long as it lasts; nil in
    /// records of versions that noted none. Then the record itself says that the object is used.
    let useIsNoted: Bool?

    package init(
        bucket: String, key: String, versionID: String?, physicalResourceID: String, generation: String,
        facts: CertificateFacts, claim: Claim
    ) {
        self.bucket = bucket
        self.key = key
        self.versionID = versionID
        self.physicalResourceID = physicalResourceID
        self.generation = generation
        self.facts = facts
        self.claim = claim
        useIsNoted = true
    }

    /// The version to ask for, also after versioning was enabled: what was there before has the version `null` from then on.
    package var storedVersionID: String { versionID ?? "null" }

    func replacing(facts: CertificateFacts, claim: Claim) -> AdoptedCertificate {
        AdoptedCertificate(
            bucket: bucket, key: key, versionID: versionID, physicalResourceID: physicalResourceID,
            generation: generation, facts: facts, claim: claim)
    }
}

/// The object in which system A kept an application's bundle. Stacks with one AppName share it.
package struct SystemAObject: Hashable, Sendable, CustomStringConvertible {
    package let bucket: String
    package let key: String

    /// Where system A kept what a generation of ours would take the place of.
    package init(of address: CertificateAddress) {
        bucket = address.bucket
        key = address.stableKey
    }

    package init(_ adopted: AdoptedCertificate) {
        bucket = adopted.bucket
        key = adopted.key
    }

    package var description: String { "s3://\(bucket)/\(key)" }

    /// The notes of the resources that use the object: one below the other in the state bucket.
    var usesPrefix: String { "adopted/\(bucket)/\(key)/" }
}

/// System A's object, of which only the public parts are read.
struct SystemABundle: Decodable {
    let certificate: IssuedCertificate

    private enum Member: String, CodingKey {
        case certificate
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        certificate = try IssuedCertificate(pem: members.decode(String.self, forKey: .certificate))
    }

    /// Which of some definitions system A's function was given, the likeliest first: it knew a domain only, and wrote it
    /// into the common name. An Update to other properties may have failed before the object was adopted, so either the
    /// old or the new properties of an event may be its own.
    func original(of definitions: [CertificateDefinition], at address: CertificateAddress) -> CertificateDefinition? {
        var likely = definitions.filter { $0.bucket == address.bucket && $0.appName == address.appName }
        // Old properties that lead elsewhere still tell what the new ones change beside the name: a rotation that was
        // taken for the original's would never be carried out.
        if let old = definitions.first, !likely.contains(old) {
            likely.append(
                CertificateDefinition(
                    appDomain: old.appDomain, appName: address.appName, bucket: address.bucket,
                    keyAlgorithm: old.keyAlgorithm, validityDays: old.validityDays,
                    subjectAlternativeNames: old.subjectAlternativeNames, rotation: old.rotation))
        }
        return likely.min { surprises($0) < surprises($1) }
    }

    /// How much of a definition system A's function did not know.
    private func surprises(_ definition: CertificateDefinition) -> Int {
        let surprises = [
            definition.rotation != nil, definition.keyAlgorithm != .rsa2048, definition.validityDays != 3650,
            !definition.subjectAlternativeNames.isEmpty,
            certificate.commonName.map { $0 != "*.\(definition.appDomain)" } ?? false,
        ]
        return surprises.count { $0 }
    }

    init(_ body: [UInt8], named object: String) throws(IssuanceError) {
        do {
            self = try JSONDecoder().decode(SystemABundle.self, from: Data(body))
        } catch {
            throw IssuanceError(
                .unreadable,
                "\(object) holds no certificate in the form of the earlier provider. Restore the object, or change "
                    + "Rotation to get a new key pair.",
                cause: error)
        }
    }
}
