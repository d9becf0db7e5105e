import CertificateIssuance
import Diagnostics
import FoundationEssentials
import PKI
import TestSupport
import Testing
import Timekeeping

/// What the judges of `Tests/Integration/judges` read, made by the provider's own code at the time that each case names.
@Suite struct JudgedDocumentsTests {
    @Test("Certificates and requests are made for any name at any time", arguments: cases)
    fileprivate func issued(_ asked: DocumentCase) async throws {
        let algorithm = try #require(KeyAlgorithm(rawValue: asked.algorithm))
        let names = try asked.names.map { try SubjectAlternativeName($0) }
        guard let domain = asked.domain else {
            let pair = try await KeyPair.generate(algorithm)
            let request = try pair.certificateRequest(for: names)
            #expect(request.count > 200)
            try write(Data(request), to: "\(asked.name).der")
            return
        }
        let definition = CertificateDefinition(
            appDomain: try DomainName(domain), appName: "judged", bucket: "certificates", keyAlgorithm: algorithm,
            validityDays: asked.days, subjectAlternativeNames: names, rotation: nil)
        let now = UnixInstant(seconds: asked.now)
        let bundle = try await SelfSignedIssuer(clock: VirtualClock(now)).issue(
            definition, generation: try #require(Generation(String(repeating: "0a", count: 32))))
        #expect(bundle.certificate.notBefore == now.advanced(by: .seconds(-3600)))
        #expect(bundle.certificate.notAfter == now.advanced(by: .days(asked.days)))
        try write(Data(bundle.certificate.pem.utf8), to: "\(asked.name).pem")
        try write(Data(bundle.keyPair.privateKeyPEM.exposed.utf8), to: "\(asked.name).key")
    }

    private func write(_ content: Data, to name: String) throws {
        guard let folder = ProcessInfo.processInfo.environment["STACKCERT_JUDGED_FOLDER"] else { return }
        try content.write(to: URL(filePath: "\(folder)/\(name)"))
    }

    /// The judges' cases when the variable names a folder with them, else one of each kind.
    fileprivate static let cases: [DocumentCase] = {
        guard let folder = ProcessInfo.processInfo.environment["STACKCERT_JUDGED_FOLDER"] else {
            return [
                DocumentCase(name: "certificate", domain: "example.com", names: ["192.0.2.7"], now: 2_524_608_000),
                DocumentCase(name: "request", domain: nil, names: ["example.com"], now: 0),
            ]
        }
        do {
            return try JSONDecoder().decode(
                [DocumentCase].self, from: Data(contentsOf: URL(filePath: "\(folder)/cases.json")))
        } catch {
            fatalError("The cases of the judges cannot be read: \(error)")
        }
    }()
}

private struct DocumentCase: Codable, Sendable, CustomTestStringConvertible {
    let name: String
    /// Nil for a request.
    let domain: String?
    let names: [String]
    var algorithm = "EC_P256"
    /// Seconds since 1970.
    let now: Int64
    var days = 30

    var testDescription: String { name }
}
