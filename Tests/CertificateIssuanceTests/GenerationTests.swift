import PKI
import TestSupport
import Testing

@testable import CertificateIssuance

@Suite struct GenerationTests {
    @Test(
        "Digests, keys and physical ids are what an independent computation says", .contract(5),
        arguments: try Golden.vectors())
    func vectors(vector: Golden.Vector) throws {
        let address = try vector.address
        #expect(address.generation.description == vector.generation)
        #expect(vector.owner.digest == vector.ownerDigest)
        #expect(address.prefix == vector.prefix)
        #expect(address.key == vector.key)
        #expect(address.stableKey == vector.stableKey)
        #expect(address.recordKey == vector.recordKey)
        #expect(address.tombstoneKey == vector.tombstoneKey)
        #expect(vector.owner.adoptionKey == vector.adoptionKey)
        #expect(PhysicalResourceID.certificate(address).text == vector.physicalId)
        #expect(PhysicalResourceID(vector.physicalId) == .certificate(address))
        #expect(address.belongs(to: vector.owner))
    }

    @Test("Every defining property and the owner make another generation", .contract(6))
    func distinct() throws {
        let vectors = try Golden.vectors()
        #expect(vectors.count >= 15)
        #expect(Set(vectors.map(\.generation)).count == vectors.count)
    }

    @Test("Neither the order nor the repetition of names makes another generation", .contract(5))
    func order() throws {
        let vector = try #require(try Golden.vectors().first { $0.alternativeNames.count == 4 })
        let definition = try vector.definition
        let names = definition.subjectAlternativeNames
        let other = CertificateDefinition(
            appDomain: definition.appDomain, appName: definition.appName, bucket: definition.bucket,
            keyAlgorithm: definition.keyAlgorithm, validityDays: definition.validityDays,
            subjectAlternativeNames: names.reversed() + names, rotation: definition.rotation)
        #expect(Generation(other, of: vector.owner).description == vector.generation)
    }

    @Test(
        "Only 64 lower-case hexadecimal digits name a generation",
        arguments: [
            "", "0", String(repeating: "A", count: 64), String(repeating: "g", count: 64),
            String(repeating: "0", count: 65),
        ])
    func refused(text: String) {
        #expect(Generation(text) == nil)
    }

    @Test("A generation's share of the jitter lies between 0 and 1")
    func fraction() {
        #expect(Generation(String(repeating: "0", count: 64))?.fraction == 0)
        #expect(Generation("8" + String(repeating: "0", count: 63))?.fraction == 0.5)
        #expect(Generation(String(repeating: "f", count: 64)).map { $0.fraction < 1 && $0.fraction > 0.9999 } == true)
    }
}
