import ACME
import FoundationEssentials
import PKI
import TestSupport
import Testing

@testable import CertificateIssuance

@Suite struct LetsEncryptGenerationTests {
    /// One line of `lets-encrypt-vectors.json`, which `make_lets_encrypt_vectors.py` computes without our code.
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let stackId: String
        let stackGuid: String
        let logicalId: String
        let appName: String
        let bucket: String
        let names: [String]
        let directory: String
        let contact: String?
        let keyAlgorithm: String
        let profile: String?
        let preferredChain: String?
        let imports: [String]
        let importRegion: String?
        let importPath: String?
        let rotation: String?
        let generation: String
        let key: String
        let physicalId: String
        let accountDigest: String
        let nameSetDigest: String

        var testDescription: String { name }
    }

    static func vectors() throws -> [Vector] {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            [Vector].self, from: Data(contentsOf: fixtures.appending(path: "lets-encrypt-vectors.json")))
    }

    @Test(
        "Digests, keys and physical ids are what an independent computation says", .contract(5),
        arguments: try vectors())
    func golden(vector: Vector) throws {
        let names = try vector.names.map { try SubjectAlternativeName($0) }
        let directory = try ResourceURL(vector.directory)
        let algorithm = try #require(KeyAlgorithm(rawValue: vector.keyAlgorithm))
        let definition = LetsEncryptDefinition(
            appName: vector.appName, bucket: vector.bucket, names: names, directory: directory,
            keyAlgorithm: algorithm, profile: vector.profile, preferredChain: vector.preferredChain,
            importTargets: Set(vector.imports.compactMap { LetsEncryptDefinition.ImportTarget(rawValue: $0) }),
            importRegion: vector.importRegion, importPath: vector.importPath, rotation: vector.rotation)
        let owner = CertificateOwner(
            stackID: vector.stackId, stackGUID: vector.stackGuid, logicalResourceID: vector.logicalId)
        let address = CertificateAddress(definition, of: owner)
        #expect(address.generation.description == vector.generation)
        #expect(address.key == vector.key)
        #expect(PhysicalResourceID.certificate(address).text == vector.physicalId)
        #expect(PhysicalResourceID(vector.physicalId) == .certificate(address))
        let authority = CertificateAuthority(
            directory: directory, contact: vector.contact, termsOfServiceAgreed: true)
        #expect(authority.accountDigest == vector.accountDigest)
        #expect(
            OrderRequest(names: names, authority: authority, keyAlgorithm: algorithm).nameSetDigest
                == vector.nameSetDigest)
    }

    @Test("Every defining property makes another generation, and the order of names does not", .contract(6))
    func distinct() throws {
        let vectors = try Self.vectors()
        // One pair differs in the names' order, another in the contact, which defines nothing.
        #expect(Set(vectors.map(\.generation)).count == vectors.count - 2)
        #expect(Set(vectors.map(\.accountDigest)).count == 3)
    }
}
