import ACME
import AWSClient
import CertificateIssuance
import PKI
import TestSupport
import Testing
import Timekeeping

@Suite("An issuer") struct ACMEIssuerTests {
    private let world = IssuerUnderTest()

    @Test("gets a certificate for apex and wildcard in one order, and leaves no answer behind")
    func obtains() async throws {
        let obtained = try await world.obtain(try world.request("example.com", "*.example.com"))
        #expect(Set(obtained.certificate.names.map(\.description)) == ["example.com", "*.example.com"])
        #expect(obtained.certificate.publicKey == obtained.keyPair.publicKey)
        #expect(obtained.chain.count == 1)
        #expect(world.server.count("order") > 0)
        #expect(orders == 1)
        #expect(world.solver.waves == [2])
        #expect(world.solver.standing.isEmpty)
        #expect(world.server.requests.allSatisfy { $0.userAgent == "stackcert-tests/1" })
    }

    @Test("makes one account, and uses it again")
    func oneAccount() async throws {
        _ = try await world.obtain(try world.request("a.example.com"))
        _ = try await world.obtain(try world.request("b.example.com"))
        #expect(world.server.count("account") == 1)
    }

    @Test("makes the account again when the authority has forgotten it")
    func forgottenAccount() async throws {
        _ = try await world.obtain(try world.request("a.example.com"))
        world.server.forgetAccounts()
        _ = try await world.obtain(try world.request("b.example.com"))
        #expect(world.server.requests.count { $0.payload.contains("termsOfServiceAgreed") } == 2)
    }

    @Test("refuses to agree to terms that nobody agreed to")
    func terms() async throws {
        let request = try world.request("example.com", agreed: false)
        await #expect(throws: IssuanceError(.termsNotAgreed, "")) { try await world.obtain(request) }
        #expect(world.server.count("account") == 0)
    }

    @Test("gets through with a server that forgets nine of ten nonces")
    func nonces() async throws {
        world.server.change { $0.nonceShare = 10 }
        _ = try await world.obtain(try world.request("example.com", "*.example.com"))
        #expect(world.solver.standing.isEmpty)
    }

    @Test("starts all challenges before it waits for the first")
    func parallel() async throws {
        world.server.change { $0.polls = 3 }
        let request = OrderRequest(
            names: try (1...100).map { try SubjectAlternativeName("n\($0).example.com") },
            authority: try world.request("example.com").authority, keyAlgorithm: .ecP256)
        _ = try await world.obtain(request)
        let names = world.server.requests.map(\.name)
        let lastStart = try #require(names.lastIndex(of: "challenge"))
        let polls = names[..<lastStart].count { $0 == "authorization" }
        // The hundred readings at the beginning, and no more.
        #expect(polls == 100)
        #expect(world.solver.waves == [100])
        // Every answer brings a nonce for another request: only the first ones have to be asked for.
        #expect(world.server.count("nonce") * 3 < names.count)
    }

    @Test("asks again when the authority says so while it waits for a verdict")
    func retryAfterWhilePolling() async throws {
        world.server.change {
            $0.polls = 2
            $0.retryAfter = 8
        }
        let before = world.clock.now
        _ = try await world.obtain(try world.request("example.com"))
        #expect(before.duration(to: world.clock.now) >= .seconds(16))
        #expect(world.server.count("authorization") <= 5)
    }

    @Test("answers in waves when there is no room for all")
    func waves() async throws {
        world.solver.makeRoom(for: 2)
        _ = try await world.obtain(try world.request("a.test", "b.test", "c.test", "d.test", "e.test"))
        #expect(world.solver.waves == [2, 2, 1])
        #expect(world.solver.standing.isEmpty)
    }

    @Test("names domain, challenge and the authority's own words when a name is not believed, without the token")
    func validationFails() async throws {
        world.server.change { $0.validates = { domain, _ in domain != "b.example.com" } }
        let request = try world.request("a.example.com", "b.example.com")
        let error = await #expect(throws: IssuanceError.self) { try await world.obtain(request) }
        #expect(error?.code == .validationFailed)
        let message = error?.message ?? ""
        #expect(message.contains("b.example.com by dns-01: unauthorized, Wrong answer"))
        #expect(message.contains("<hidden>.<hidden>"))
        #expect(world.solver.standing.isEmpty)
    }

    @Test("stops after four failed validations within an hour, before anything is ordered")
    func failuresLimited() async throws {
        world.server.change { $0.validates = { _, _ in false } }
        let request = try world.request("example.com")
        for _ in 1...4 {
            await #expect(throws: IssuanceError(.validationFailed, "")) { try await world.obtain(request) }
        }
        let before = orders
        let error = await #expect(throws: IssuanceError.self) { try await world.obtain(request) }
        #expect(error?.code == .rateLimited)
        #expect(error?.message.contains("staging") == true)
        #expect(orders == before)
        world.clock.advance(by: .seconds(3601))
        world.server.change { [solver = world.solver] in $0.validates = { solver.shows($1, for: $0) } }
        _ = try await world.obtain(request)
    }

    @Test("stops at four certificates for the same names within seven days, and names staging")
    func issuancesLimited() async throws {
        let request = try world.request("example.com")
        for _ in 1...4 { _ = try await world.obtain(request) }
        let before = orders
        let error = await #expect(throws: IssuanceError.self) { try await world.obtain(request) }
        #expect(error?.code == .rateLimited)
        #expect(error?.message.contains("Directory: staging") == true)
        #expect(orders == before)
        _ = try await world.obtain(try world.request("other.example.com"))
        world.clock.advance(by: .days(7))
        _ = try await world.obtain(request)
    }

    @Test("names settings as the command's options where it is the command that orders")
    func options() async throws {
        let world = IssuerUnderTest(settings: .options)
        let request = try world.request("example.com")
        for _ in 1...4 { _ = try await world.obtain(request) }
        let limit = await #expect(throws: IssuanceError.self) { try await world.obtain(request) }
        #expect(limit?.message.contains("Use --directory staging while trying things out") == true)
        let profile = await #expect(throws: IssuanceError.self) {
            try await world.obtain(try world.request("other.example.com", profile: "shortlived"))
        }
        #expect(profile?.message.hasSuffix("leave --acme-profile out.") == true)
        let terms = await #expect(throws: IssuanceError.self) {
            try await IssuerUnderTest(settings: .options).obtain(try world.request("example.com", agreed: false))
        }
        #expect(terms?.message.hasSuffix("must be agreed to: add --agree-to-terms.") == true)
    }

    @Test("goes on beyond four certificates when each was in use until its time")
    func shortLived() async throws {
        world.server.change { $0.lifetime = .seconds(60) }
        for _ in 1...10 {
            _ = try await world.obtain(try world.request("example.com"))
            world.clock.advance(by: .seconds(40))
        }
        #expect(orders == 10)
    }

    @Test("asks again when the authority says so, and not before")
    func rateLimited() async throws {
        world.server.change {
            $0.fault = { request, _ in
                request.name == "order" && request.payload.contains("identifiers")
                    ? .refused("rateLimited", 429, ["Retry-After": "7200"], detail: "Too many.") : nil
            }
        }
        let request = try world.request("example.com")
        await #expect(throws: ACMEError.self) { try await world.obtain(request) }
        world.server.change { $0.fault = { _, _ in nil } }
        let before = orders
        let error = await #expect(throws: IssuanceError.self) { try await world.obtain(request) }
        #expect(error?.code == .rateLimited)
        #expect(orders == before)
        world.clock.advance(by: .seconds(7201))
        _ = try await world.obtain(request)
    }

    @Test("gives a deleted certificate to the next who wants the same, once, and only to the same holder")
    func kept() async throws {
        let request = try world.request("example.com")
        let first = try await world.obtain(request)
        func keep() async throws {
            try await world.issuer.keep(
                first.keyPair, pem: first.pem, for: request, deadline: world.clock.now.advanced(by: .seconds(60)))
        }
        try await keep()
        let stranger = try await world.obtain(try world.request("example.com", holder: "999988887777"))
        #expect(stranger.certificate != first.certificate)
        let rsa = try await world.obtain(try world.request("example.com", algorithm: .rsa2048))
        #expect(rsa.certificate != first.certificate)
        #expect(try await world.obtain(request).certificate == first.certificate)
        #expect(try await world.obtain(request).certificate != first.certificate)
        #expect(orders == 4)
    }

    @Test("keeps a deleted certificate for nearly seven days")
    func keptLong() async throws {
        let request = try world.request("example.com")
        let first = try await world.obtain(request)
        try await world.issuer.keep(
            first.keyPair, pem: first.pem, for: request, deadline: world.clock.now.advanced(by: .seconds(60)))
        world.clock.advance(by: .days(7) - .seconds(300))
        #expect(try await world.obtain(request).certificate == first.certificate)
    }

    @Test("does not keep a deleted certificate for more than seven days")
    func keptTooLong() async throws {
        let request = try world.request("example.com")
        let first = try await world.obtain(request)
        try await world.issuer.keep(
            first.keyPair, pem: first.pem, for: request, deadline: world.clock.now.advanced(by: .seconds(60)))
        world.clock.advance(by: .days(7))
        #expect(try await world.obtain(request).certificate != first.certificate)
        #expect(!world.storage.text("orders/").contains(#""kept""#))
    }

    @Test("orders once for ten creations that are rolled back")
    func tenCycles() async throws {
        let request = try world.request("example.com", "*.example.com")
        for _ in 1...10 {
            let obtained = try await world.obtain(request)
            try await world.issuer.keep(
                obtained.keyPair, pem: obtained.pem, for: request,
                deadline: world.clock.now.advanced(by: .seconds(60)))
        }
        #expect(orders == 1)
    }

    @Test("leaves out the certificate to be replaced when the authority does not want to hear of it")
    func alreadyReplaced() async throws {
        world.server.change {
            $0.renewalWindow = (UnixInstant(seconds: 1_800_000_000), UnixInstant(seconds: 1_800_001_000))
            $0.refusesReplacement = true
        }
        _ = try await world.obtain(try world.request("example.com"), replaces: CertificateID("AAAA.BBBB"))
        let payloads = world.server.requests.map(\.payload).filter { $0.contains("identifiers") }
        #expect(payloads.map { $0.contains("AAAA.BBBB") } == [true, false])
    }

    @Test("refuses a profile that the directory does not have, before anything is ordered")
    func profile() async throws {
        world.server.change { $0.profiles = ["classic": "as ever", "shortlived": "six days"] }
        let error = await #expect(throws: IssuanceError.self) {
            try await world.obtain(try world.request("example.com", profile: "tlsserver"))
        }
        #expect(error?.code == .unknownProfile)
        #expect(
            error?.message
                == "ca.test does not offer the certificate profile \"tlsserver\". Set Profile to one that it offers "
                + "(classic, shortlived), or leave it out.")
        #expect(orders == 0)
        _ = try await world.obtain(try world.request("example.com", profile: "shortlived"))
        #expect(world.server.requests.contains { $0.payload.contains(#""profile":"shortlived""#) })
    }

    @Test(
        "refuses any profile of an authority that has none, which would issue something else", arguments: [false, true])
    func noProfiles(hasEmptyList: Bool) async throws {
        world.server.change { $0.profiles = hasEmptyList ? [:] : nil }
        let error = await #expect(throws: IssuanceError.self) {
            try await world.obtain(try world.request("example.com", profile: "shortlived"))
        }
        #expect(error?.code == .unknownProfile)
        #expect(
            error?.message
                == "ca.test offers no certificate profiles, and Profile asks for \"shortlived\": leave Profile out.")
        #expect(orders == 0)
    }

    @Test("orders nothing when no place can hold the answers")
    func noPlaces() async throws {
        world.solver.setPlaces(false)
        let request = try world.request("example.com", "*.example.com")
        let error = await #expect(throws: IssuanceError.self) { try await world.obtain(request) }
        #expect(error?.code == .noPlaceForAnswer)
        #expect(error?.message == #"scripted: ["example.com"]"#)
        #expect(orders == 0)
        world.solver.setPlaces(true)
        _ = try await world.obtain(request)
        #expect(orders == 1)
    }

    @Test("goes on after a lost answer to any request")
    func lostAnswer() async throws {
        var struck = 0
        for ordinal in 1...100 {
            let world = IssuerUnderTest()
            world.server.change { $0.fault = { $1 == ordinal ? .answerLost : nil } }
            _ = try await world.obtain(try world.request("example.com", "*.example.com"))
            guard world.server.requests.count >= ordinal else { break }
            struck = ordinal
            #expect(world.server.requests.count { $0.payload.contains("identifiers") } <= 2, "request \(ordinal)")
            #expect(world.solver.standing.isEmpty, "request \(ordinal)")
        }
        #expect(struck > 10)
    }

    @Test("loses no account whose key was being changed when the process was killed")
    func killedWhileTheKeyChanges() async throws {
        var steps = 0
        for step in 1...100 {
            let world = IssuerUnderTest()
            let request = try world.request("example.com")
            _ = try await world.obtain(request)
            let soon = world.clock.now.advanced(by: .seconds(300))
            let account = try await world.accounts.known(request.authority, deadline: soon)
            world.die(before: step)
            _ = try? await world.accounts.changeKey(of: request.authority, deadline: soon)
            guard world.isDead else { break }
            steps = step
            world.die(before: nil)
            let changed = try await world.accounts.changeKey(of: request.authority, deadline: soon)
            #expect(changed.url == account.url, "killed before step \(step)")
            #expect(changed.key.thumbprint != account.key.thumbprint)
            _ = try await world.obtain(request)
        }
        #expect(steps > 5)
    }

    @Test("killed before any step, is succeeded by one that finishes with at most one order more")
    func killed() async throws {
        var steps = 0
        for step in 1...200 {
            let world = IssuerUnderTest()
            let shelf = Shelf()
            let request = try world.request("example.com", "*.example.com")
            world.die(before: step)
            _ = try? await world.obtain(request, on: shelf)
            guard world.isDead else { break }
            steps = step
            world.die(before: nil)
            world.clock.advance(by: .seconds(61))
            _ = try await world.obtain(request, on: shelf)
            let ordered = world.server.requests.count { $0.payload.contains("identifiers") }
            #expect(ordered <= 2, "killed before step \(step)")
            #expect(world.solver.standing.isEmpty, "killed before step \(step)")
            #expect(shelf.certificate != nil)
        }
        #expect(steps > 25)
    }

    @Test("gives what was stored to nobody else, wherever it was killed")
    func destinations() async throws {
        var stored = 0
        for step in 1...200 {
            let world = IssuerUnderTest()
            let (one, other) = (Shelf(), Shelf())
            let request = try world.request("example.com")
            world.die(before: step)
            _ = try? await world.obtain(request, on: one, as: "one")
            guard world.isDead else { break }
            world.die(before: nil)
            world.clock.advance(by: .seconds(61))
            let second = try await world.obtain(request, on: other, as: "other")
            guard let first = one.certificate else { continue }
            stored += 1
            #expect(first.keyPair.publicKey != second.keyPair.publicKey, "killed before step \(step)")
        }
        #expect(stored > 0)
    }

    @Test("does not order again for another stack when the bundle of the first was refused")
    func refusedSave() async throws {
        let request = try world.request("example.com")
        let soon = world.clock.now.advanced(by: .seconds(300))
        let none: ObtainedCertificate? = nil
        await #expect(throws: AWSError.self) {
            try await world.issuer.obtain(
                request, for: "one", solver: world.solver, deadline: soon, find: { none },
                save: { _ in throw AWSError(.accessDenied, "scripted") })
        }
        _ = try await world.obtain(request, as: "two")
        #expect(orders == 1)
    }

    @Test("gives no order that was interrupted to another account")
    func holders() async throws {
        world.server.change { $0.polls = 1000 }
        let patience = Duration.seconds(30)
        _ = try? await world.obtain(try world.request("example.com"), within: patience)
        world.server.change { $0.polls = 0 }
        _ = try await world.obtain(try world.request("example.com", holder: "999988887777"))
        #expect(orders == 2)
    }

    @Test("issues although an answer cannot be taken back, and takes it back later")
    func leftovers() async throws {
        world.solver.setStuck(true)
        _ = try await world.obtain(try world.request("example.com", "*.example.com"))
        #expect(world.solver.standing.count == 2)
        _ = try await world.obtain(try world.request("example.com", "*.example.com"))
        world.solver.setStuck(false)
        _ = try await world.obtain(try world.request("example.com", "*.example.com"))
        #expect(world.solver.standing.isEmpty)
    }

    @Test("orders once when twenty want the same at the same time")
    func twentyAtOnce() async throws {
        let shelf = Shelf()
        let request = try world.request("example.com")
        try await withThrowingTaskGroup(of: IssuedCertificate.self) { group in
            for _ in 1...20 {
                group.addTask { try await world.obtain(request, on: shelf, within: .days(1)).certificate }
            }
            var certificates: Set<IssuedCertificate> = []
            for try await certificate in group { certificates.insert(certificate) }
            #expect(certificates.count == 1)
        }
        #expect(orders == 1)
    }

    @Test("stores no key but in its own storage, and prints none")
    func secrets() async throws {
        let obtained = try await world.obtain(try world.request("example.com"))
        #expect(!world.storage.text("orders/").contains("PRIVATE KEY"))
        #expect(!"\(obtained)".contains("PRIVATE KEY"))
        #expect(!String(reflecting: obtained).contains("PRIVATE KEY"))
    }

    private var orders: Int { world.server.requests.count { $0.payload.contains("identifiers") } }
}
