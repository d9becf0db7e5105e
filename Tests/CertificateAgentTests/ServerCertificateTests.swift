import CertificateAgent
import Diagnostics
import PKI
import TestSupport
import Testing
import Timekeeping

@Suite("A bundle")
struct ServerCertificateTests {
    private func code(_ json: Redacted<[UInt8]>) -> AgentError.Code? {
        do throws(AgentError) {
            _ = try ServerCertificate(bundle: json, now: TestBundle.now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("whose parts belong together is taken, and prints redacted")
    func good() async throws {
        let bundle = try await TestBundle.make()
        let taken = try ServerCertificate(bundle: bundle.json, now: TestBundle.now)
        #expect(taken.certificate == bundle.certificate)
        var printed = "\(taken) \(String(reflecting: taken))"
        dump(taken, to: &printed)
        #expect(!printed.contains("PRIVATE KEY"))
    }

    @Test("whose private key is another one's is refused, and so is a public key that is not what it says")
    func mismatch() async throws {
        let (one, two) = (try await KeyPair.generate(.ecP256), try await KeyPair.generate(.ecP256))
        let certificate = try await TestBundle.make().certificate
        let profile = SelfSignedProfile(
            names: [.dns(try DomainName("app.example.com"))], commonName: "app.example.com",
            notBefore: TestBundle.now.advanced(by: .days(-1)), notAfter: TestBundle.now.advanced(by: .days(1)))
        let own = try one.selfSigned(profile)
        #expect(code(try TestBundle(key: one, certificate: own, publicKey: one.publicKey).json) == nil)
        #expect(
            code(try TestBundle(key: one, certificate: certificate, publicKey: one.publicKey).json) == .bundleInvalid)
        #expect(code(try TestBundle(key: one, certificate: own, publicKey: two.publicKey).json) == .bundleInvalid)
    }

    @Test("is refused before its certificate's time, and taken after it")
    func time() async throws {
        #expect(code(try await TestBundle.make(from: .seconds(1)).json) == .bundleInvalid)
        #expect(code(try await TestBundle.make(to: .zero).json) == nil)
        #expect(code(try await TestBundle.make(from: .zero, to: .seconds(1)).json) == nil)
    }

    @Test("that is none is refused without being quoted", arguments: ["", "[]", "{}", #"{"private_key":"s3cret"}"#])
    func garbage(text: String) {
        do throws(AgentError) {
            _ = try ServerCertificate(bundle: Redacted(Array(text.utf8)), now: TestBundle.now)
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .bundleInvalid)
            #expect(!error.message.contains("s3cret"))
        }
    }

    @Test("may bring a chain of several certificates")
    func chain() async throws {
        let (one, two) = (try await TestBundle.make().certificate, try await TestBundle.make().certificate)
        #expect(try IssuedCertificate.chain(pem: one.pem + two.pem) == [one, two])
        #expect(try IssuedCertificate.chain(pem: "") == [])
        #expect(throws: PKIError.self) { try IssuedCertificate.chain(pem: one.pem + "rest\n") }
    }
}
