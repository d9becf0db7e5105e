import ACME
import AWSClient
import CertificateIssuance
import CertificateRenewal
import Synchronization
import TestSupport
import Testing
import Timekeeping

/// When a Let's Encrypt certificate is renewed: its authority is asked (RFC 9773).
@Suite struct RenewalTimingTests {
    private let scene = RenewalScene()
    private let adviser = ScriptedAdviser()

    init() {
        scene.add(RenewalScene.Stack(name: "shop"))
        adviser.clock = scene.clock
    }

    /// Gives the stack a certificate of 90 days.
    private func certify(age: Duration, id: String? = "AAAA.BBBB") async throws {
        let owner = CertificateOwner(
            stackID: RenewalScene.stackID("shop"), stackGUID: "guid-shop", logicalResourceID: "Certificate")
        let key = "lets-encrypt/shop/guid-shop/Certificate/\(String(repeating: "a", count: 64)).json"
        let address = try #require(CertificateAddress(bucket: "certificates", key: key))
        let issued = scene.clock.now.advanced(by: .zero - age)
        let order = OrderSettings(
            directory: try ResourceURL("https://ca.test/directory"), contact: nil, profile: nil, preferredChain: nil,
            holder: "111122223333", revokeOnDelete: false, stableCertificateARN: false, importRegion: nil,
            importPath: nil)
        let store = CertificateStore(
            s3: S3(try scene.client, expectedBucketOwner: nil), stateBucket: "state", keyARN: "arn:aws:kms:::key/1",
            clock: scene.clock)
        _ = try await store.claim(
            address, of: owner,
            settings: CertificateSettings(rotationParameter: "CertificateRotation", stableS3Key: false, order: order),
            by: Claim(requestID: "request-1", issuedAt: issued), facts: scene.facts("1", issuedAt: issued),
            certificateID: id, deadline: scene.clock.now.advanced(by: .seconds(60))
        ) { $0.previous }
    }

    private func window(from start: Duration, to end: Duration) {
        adviser.window = (scene.clock.now.advanced(by: start), scene.clock.now.advanced(by: end))
    }

    private func isRenewed(jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { $0.lowerBound }) async throws
        -> Bool
    {
        let report = try await scene.run(adviser: adviser, jitter: jitter)
        return report.lines.contains { $0.outcome.code == .started }
    }

    @Test("It is renewed in the run before the time that was chosen in the authority's window")
    func window() async throws {
        try await certify(age: .days(1))
        window(from: .days(2), to: .days(3))
        #expect(try await !isRenewed())
        scene.clock.advance(by: .days(2) - .seconds(7200))
        #expect(try await !isRenewed())
        scene.clock.advance(by: .seconds(3700))
        #expect(try await isRenewed())
    }

    @Test("A young one is renewed at once when the authority wants that: it is about to be revoked")
    func early() async throws {
        try await certify(age: .days(1))
        window(from: .days(-2), to: .days(-1))
        #expect(try await isRenewed())
    }

    @Test("The time is chosen once, and again only when the window changes")
    func chosenOnce() async throws {
        try await certify(age: .days(1))
        window(from: .days(10), to: .days(20))
        #expect(try await !isRenewed { $0.upperBound })
        // By another throw of the dice it would be due at the window's beginning.
        scene.clock.advance(by: .days(10))
        #expect(try await !isRenewed { $0.lowerBound })
        window(from: .days(-1), to: .days(11))
        scene.clock.advance(by: .seconds(86_400))
        #expect(try await isRenewed { $0.lowerBound })
    }

    @Test("The authority is asked no sooner than it wants to be")
    func askedRarely() async throws {
        try await certify(age: .days(1))
        window(from: .days(10), to: .days(20))
        for _ in 1...12 {
            _ = try await isRenewed()
            scene.clock.advance(by: .seconds(3600))
        }
        #expect(adviser.asked == 2)
    }

    @Test("Without renewal information its lifetime decides")
    func noInformation() async throws {
        adviser.window = nil
        try await certify(age: .days(1))
        #expect(try await !isRenewed())
        scene.clock.advance(by: .days(40))
        #expect(try await !isRenewed())
        scene.clock.advance(by: .days(20))
        #expect(try await isRenewed())
    }

    @Test("When the authority cannot be asked, what it said before counts, and before that the lifetime")
    func unreachable() async throws {
        try await certify(age: .days(59))
        window(from: .days(10), to: .days(11))
        #expect(try await !isRenewed())
        adviser.isDown = true
        scene.clock.advance(by: .days(5))
        #expect(try await !isRenewed())
        scene.clock.advance(by: .days(5))
        #expect(try await isRenewed())
    }

    @Test("When the authority was never reached, its lifetime decides")
    func neverReached() async throws {
        adviser.isDown = true
        try await certify(age: .days(1))
        #expect(try await !isRenewed())
        scene.clock.advance(by: .days(60))
        #expect(try await isRenewed())
    }

    @Test("With a twentieth of the lifetime left nobody is asked any more")
    func almostOver() async throws {
        try await certify(age: .days(86))
        window(from: .days(1), to: .days(2))
        #expect(try await isRenewed())
        #expect(adviser.asked == 0)
    }

    @Test("One whose authority has no name for it is renewed by its lifetime")
    func noID() async throws {
        try await certify(age: .days(1), id: nil)
        // Looked at after six hours, when a person or the function comes by: it is due by its marker alone.
        window(from: .days(-2), to: .days(-1))
        scene.clock.advance(by: .days(60))
        #expect(try await isRenewed())
        #expect(adviser.asked == 0)
    }
}

/// An authority that says what a test wants.
final class ScriptedAdviser: RenewalAdviser {
    private struct State {
        var window: (start: UnixInstant, end: UnixInstant)?
        var isDown = false
        var asked = 0
        var clock = VirtualClock()
    }

    private let state = Mutex(State())

    var window: (start: UnixInstant, end: UnixInstant)? {
        get { state.withLock { $0.window } }
        set { state.withLock { $0.window = newValue } }
    }
    var isDown: Bool {
        get { state.withLock { $0.isDown } }
        set { state.withLock { $0.isDown = newValue } }
    }
    var clock: VirtualClock {
        get { state.withLock { $0.clock } }
        set { state.withLock { $0.clock = newValue } }
    }
    var asked: Int { state.withLock { $0.asked } }

    func renewalInfo(
        of certificate: CertificateID, at directory: ResourceURL, deadline: UnixInstant
    ) async throws -> RenewalInfo? {
        try state.withLock { state in
            state.asked += 1
            if state.isDown { throw ACMEError(.unreachable, "scripted") }
            return state.window.map {
                RenewalInfo(
                    start: $0.start, end: $0.end, explanationURL: nil,
                    askAgainAt: state.clock.now.advanced(by: .seconds(6 * 3600)))
            }
        }
    }
}
