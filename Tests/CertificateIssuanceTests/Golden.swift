import CertificateIssuance
import FoundationEssentials
import PKI
import Testing

/// What is public API although no compiler knows: the names of objects and of what is in them. See `Fixtures`.
enum Golden {
    /// One line of `vectors.json`, which `make_vectors.py` computes without our code.
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let stackId: String
        let stackGuid: String
        let logicalId: String
        let appDomain: String
        let appName: String
        let bucket: String
        let keyAlgorithm: String
        let validityDays: Int
        let alternativeNames: [String]
        let rotation: String?
        let ownerDigest: String
        let generation: String
        let prefix: String
        let key: String
        let stableKey: String
        let physicalId: String
        let recordKey: String
        let tombstoneKey: String
        let adoptionKey: String

        var testDescription: String { name }

        var owner: CertificateOwner {
            CertificateOwner(stackID: stackId, stackGUID: stackGuid, logicalResourceID: logicalId)
        }

        var definition: CertificateDefinition {
            get throws {
                CertificateDefinition(
                    appDomain: try DomainName(appDomain), appName: appName, bucket: bucket,
                    keyAlgorithm: KeyAlgorithm(rawValue: keyAlgorithm) ?? .rsa2048, validityDays: validityDays,
                    subjectAlternativeNames: try alternativeNames.map { try SubjectAlternativeName($0) },
                    rotation: rotation)
            }
        }

        var address: CertificateAddress {
            get throws { CertificateAddress(try definition, of: owner) }
        }
    }

    struct Names: Decodable {
        let bundleMembers: [String]
        let metadata: [String]
    }

    static func vectors() throws -> [Vector] { try read([Vector].self, "vectors.json") }

    static func names() throws -> Names { try read(Names.self, "names.json") }

    private static func read<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: fixtures.appending(path: name)))
    }
}
