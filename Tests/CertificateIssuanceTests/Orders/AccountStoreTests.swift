import ACME
import CertificateIssuance
import Diagnostics
import Foundation
import TestSupport
import Testing
import Timekeeping

@Suite("An account that the CA has ended") struct AccountStoreTests {
    private let world = IssuerUnderTest(settings: .options)
    private var soon: UnixInstant { world.clock.now.advanced(by: .seconds(300)) }

    @Test(
        "is replaced by one with a new key when a certificate is ordered",
        arguments: ["deactivated", "revoked"], [false, true])
    func replaced(status: String, tellsStatus: Bool) async throws {
        world.server.change { $0.tellsStatus = tellsStatus }
        let request = try world.request("a.example.com")
        _ = try await world.obtain(request)
        let before = try await world.accounts.known(request.authority, deadline: soon)
        world.server.endAccounts(status)
        _ = try await world.obtain(try world.request("b.example.com"))
        let after = try await world.accounts.known(request.authority, deadline: soon)
        #expect(after.url != before.url)
        #expect(after.key.thumbprint != before.key.thumbprint)
        #expect(world.server.count("account") == 3)
    }

    @Test("keeps its key in the document, at whose name the new account stands")
    func kept() async throws {
        let request = try world.request("a.example.com")
        _ = try await world.obtain(request)
        let name = try #require(world.storage.names.first { $0.hasPrefix("accounts/") })
        let before = try await world.accounts.known(request.authority, deadline: soon)
        world.server.endAccounts()
        _ = try await world.obtain(request)
        #expect(world.storage.names.filter { $0.hasPrefix("accounts/") } == [name])
        let stored = try JSONDecoder().decode(Stored.self, from: Data(world.storage.text(name).utf8))
        #expect(stored.url != before.url.description)
        #expect(stored.ended == [Stored.Ended(url: before.url.description, key: before.key.jwk.exposed)])
    }

    private struct Stored: Decodable {
        struct Ended: Decodable, Equatable {
            let url: String
            let key: String
        }
        let url: String
        let ended: [Ended]
    }

    @Test("is replaced once by two processes that find out at the same time")
    func twoProcesses() async throws {
        _ = try await world.obtain(try world.request("a.example.com"))
        world.server.endAccounts()
        let requests = try (1...5).map { try world.request("n\($0).example.com") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for request in requests {
                group.addTask { [world] in _ = try await world.obtain(request, within: .days(1)) }
            }
            try await group.waitForAll()
        }
        #expect(Set(world.server.accountURLs).count == 2)
    }

    @Test("killed before any step of the replacement, is replaced by the next process with one account in all")
    func killed() async throws {
        var steps = 0
        for step in 1...100 {
            let world = IssuerUnderTest()
            let request = try world.request("example.com")
            _ = try await world.obtain(request)
            world.server.endAccounts()
            let soon = world.clock.now.advanced(by: .seconds(300))
            world.die(before: step)
            _ = try? await world.accounts.checked(request.authority, deadline: soon)
            guard world.isDead else { break }
            steps = step
            world.die(before: nil)
            _ = try await world.accounts.checked(request.authority, deadline: soon)
            #expect(Set(world.server.accountURLs).count == 2, "killed before step \(step)")
        }
        #expect(steps > 5)
    }

    @Test("says that it ended and what to add when nobody agreed to the terms")
    func terms() async throws {
        _ = try await world.obtain(try world.request("example.com"))
        world.server.endAccounts()
        let request = try world.request("example.com", agreed: false)
        for attempt in [
            { () async throws in _ = try await world.obtain(request) },
            { () async throws in _ = try await world.accounts.checked(request.authority, deadline: soon) },
            { () async throws in _ = try await world.accounts.changeKey(of: request.authority, deadline: soon) },
        ] {
            let error = await #expect(throws: IssuanceError.self) { try await attempt() }
            #expect(error?.code == .termsNotAgreed)
            #expect(
                error?.message
                    == "The account at ca.test was deactivated or revoked, and a new one is needed. The terms of "
                    + "service of ca.test (https://ca.test/terms) must be agreed to: add --agree-to-terms.")
        }
    }

    @Test("is replaced when it is to get another key")
    func newKey() async throws {
        let authority = try world.request("example.com").authority
        let before = try await world.accounts.open(authority, deadline: soon)
        world.server.endAccounts()
        let after = try await world.accounts.changeKey(of: authority, deadline: soon)
        #expect(after.url != before.url)
        #expect(after.key.thumbprint != before.key.thumbprint)
        #expect(try await world.accounts.checked(authority, deadline: soon).url == after.url)
    }

    @Test("is not what a refusal of one order means")
    func refusedOrder() async throws {
        let request = try world.request("example.com")
        let account = try await world.accounts.open(request.authority, deadline: soon)
        world.server.change {
            $0.fault = { request, _ in
                request.name == "order" ? .refused("unauthorized", 403, detail: "Not these names.") : nil
            }
        }
        let error = await #expect(throws: ACMEError.self) { try await world.obtain(request) }
        #expect(error?.message.contains("Not these names.") == true)
        world.server.change { $0.fault = { _, _ in nil } }
        #expect(try await world.accounts.checked(request.authority, deadline: soon).url == account.url)
    }
}
