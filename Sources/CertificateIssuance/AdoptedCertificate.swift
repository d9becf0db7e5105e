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
    }

    func replacing(facts: CertificateFacts, claim: Claim) -> AdoptedCertificate {
        AdoptedCertificate(
            bucket: bucket, key: key, versionID: versionID, physicalResourceID: physicalResourceID,
            generation: generation, facts: facts, claim: claim)
    }
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

    init(_ body: [UInt8], named object: String) throws(IssuanceError) {
        do {
            self = try JSONDecoder().decode(SystemABundle.self, from: Data(body))
        } catch {
            throw IssuanceError(
                .unreadable,
                "\(object) holds no certificate in the form of the earlier provider: restore it, or change Rotation.",
                cause: error)
        }
    }
}
