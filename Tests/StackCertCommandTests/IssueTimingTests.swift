import ACME
import CertificateIssuance
import CertificateRenewal
import Foundation
import PKI
import TestSupport
import Testing
import Timekeeping

@testable import StackCertCommand

/// When `stackcert issue` renews what is there.
@Suite final class IssueTimingTests {
    private let clock = VirtualClock()
    private let server: InMemoryACMEServer
    private let folder = FileManager.default.temporaryDirectory.path + "/stackcert-issue-\(UUID().uuidString)"
    private let issuedAt: UnixInstant

    init() {
        server = InMemoryACMEServer(clock: clock)
        issuedAt = clock.now
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func isDue(
        lifetime: Duration = .days(90), id: String? = "AAAA.BBBB", algorithm: KeyAlgorithm = .ecP256
    ) async throws -> Bool {
        let transport = ACMETransport(
            executor: server, userAgent: "tests/1", clock: clock, jitter: { $0.lowerBound })
        let request = OrderRequest(
            names: [try SubjectAlternativeName("example.com")],
            authority: CertificateAuthority(
                directory: try ResourceURL(InMemoryACMEServer.directory), contact: nil, termsOfServiceAgreed: true),
            keyAlgorithm: algorithm)
        let timing = IssueTiming(
            request: request, adviser: ACMERenewalAdviser(transport: transport),
            storage: try FolderACMEStorage(folder), clock: clock)
        return try await timing.isDue(
            IssueTiming.Current(
                notBefore: issuedAt, notAfter: issuedAt.advanced(by: lifetime), id: id.flatMap { CertificateID($0) }),
            deadline: clock.now.advanced(by: .seconds(600)))
    }

    private func window(from start: Duration, to end: Duration) {
        let window = (start: clock.now.advanced(by: start), end: clock.now.advanced(by: end))
        server.change { $0.renewalWindow = window }
    }

    @Test("A young certificate is due when its CA says so: it is about to be revoked")
    func early() async throws {
        window(from: .days(-2), to: .days(-1))
        #expect(try await isDue())
    }

    @Test("A certificate is due in the last daily run before the time that was chosen in the CA's window")
    func daily() async throws {
        window(from: .days(2), to: .days(2) + .seconds(60))
        #expect(try await !isDue())
        clock.advance(by: .days(1) - .seconds(3600))
        #expect(try await !isDue())
        clock.advance(by: .seconds(3700))
        #expect(try await isDue())
    }

    @Test("A new certificate of six days is not due because its window begins tomorrow")
    func shortLived() async throws {
        window(from: .seconds(80 * 3600), to: .seconds(83 * 3600))
        for _ in 1...3 {
            #expect(try await !isDue(lifetime: .seconds(160 * 3600)))
            clock.advance(by: .days(1))
        }
        #expect(try await isDue(lifetime: .seconds(160 * 3600)))
    }

    @Test("The CA is asked no sooner than it wants to be, also by another process")
    func askedRarely() async throws {
        window(from: .days(30), to: .days(40))
        for _ in 1...5 {
            _ = try await isDue()
            clock.advance(by: .seconds(3600))
        }
        #expect(server.count("renewal") == 1)
        // Of another key there is another certificate.
        _ = try await isDue(id: "AAAA.CCCC", algorithm: .rsa2048)
        #expect(server.count("renewal") == 2)
        _ = try await isDue()
        #expect(server.count("renewal") == 2)
    }

    @Test("Where there is no renewal information, two thirds of the lifetime decide", arguments: [false, true])
    func noInformation(isDown: Bool) async throws {
        if isDown {
            window(from: .days(30), to: .days(40))
            server.change { $0.fault = { _, _ in .unreachable } }
        }
        clock.advance(by: .days(59))
        #expect(try await !isDue())
        clock.advance(by: .days(1))
        #expect(try await isDue())
    }

    @Test("About a certificate that the CA may not have issued it is not asked")
    func ofAnother() async throws {
        window(from: .days(-2), to: .days(-1))
        #expect(try await !isDue(id: nil))
        #expect(server.requests.isEmpty)
        clock.advance(by: .days(60))
        #expect(try await isDue(id: nil))
    }
}
