import AWSClient
import Diagnostics
import PKI
import TestSupport
import Testing
import Timekeeping

@testable import CertificateIssuance

/// Copies of certificates that were made for a test, of the one domain.
struct CopyScene {
    let scene: DNSScene
    let acm: InMemoryACM
    let iam: InMemoryIAM

    init(region: String = "eu-west-1", clock: VirtualClock = VirtualClock()) {
        scene = DNSScene(clock: clock)
        acm = InMemoryACM(clock: scene.clock, region: region)
        iam = InMemoryIAM(clock: scene.clock)
    }

    /// As another process has them each time.
    func copies(region: String = "eu-west-1") throws -> ACMCopies {
        ACMCopies(acm: ACM(try scene.client(acm).inRegion(region)), clock: scene.clock)
    }

    func serverCertificates(path: String = "/") throws -> IAMCopies {
        IAMCopies(iam: IAM(try scene.client(iam)), path: path, clock: scene.clock)
    }

    func label(_ rotation: String, appName: String = "app") throws -> CopyLabel {
        let owner = CertificateOwner(
            stackID: "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/6a7b", stackGUID: "6a7b",
            logicalResourceID: "Certificate")
        let definition = CertificateDefinition(
            appDomain: try DomainName("a.example"), appName: appName, bucket: "b", keyAlgorithm: .ecP256,
            validityDays: 90, subjectAlternativeNames: [], rotation: rotation)
        return CopyLabel(generation: Generation(definition, of: owner), owner: owner, appName: appName)
    }

    func copy(
        _ rotation: String = "1", algorithm: KeyAlgorithm = .ecP256, days: Int = 90
    ) async throws -> CertificateCopy {
        let keyPair = try await KeyPair.generate(algorithm)
        let now = UnixInstant(seconds: scene.clock.now.seconds)
        let certificate = try keyPair.selfSigned(
            SelfSignedProfile(
                names: [.dns(try DomainName("a.example")), .dns(try DomainName(wildcardAllowed: "*.a.example"))],
                commonName: "a.example", notBefore: now, notAfter: now.advanced(by: .days(days))))
        return CertificateCopy(
            keyPair: keyPair, certificate: certificate, chain: [], label: try label(rotation))
    }

    var deadline: UnixInstant { scene.deadline }
}

@Suite("Copies of certificates") struct CertificateCopyTests {
    @Test("A name in IAM is short enough however long the application's is, and still its generation's")
    func name() throws {
        let scene = CopyScene()
        let label = try scene.label("1", appName: String(repeating: "a", count: 128))
        let name = label.serverCertificateName
        #expect(name.count == 128 && name.hasPrefix("stackcert-aaa"))
        #expect(name.hasSuffix("-\(label.generation.description.prefix(16))"))
        #expect(try scene.label("1").serverCertificateName.hasPrefix("stackcert-app-"))
    }

    @Test("Nothing prints the key")
    func redacted() async throws {
        let copy = try await CopyScene().copy()
        var dumped = ""
        dump(copy, to: &dumped)
        for text in ["\(copy)", String(reflecting: copy), dumped] {
            #expect(!text.contains("PRIVATE") && text.contains(copy.label.generation.description))
        }
    }
}
