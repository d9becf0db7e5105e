import CertificateIssuance
import Diagnostics
import Foundation
import HTTPTransport
import HTTPTypes
import Synchronization
import TestSupport
import Testing
import Timekeeping

@Suite("Where an answer to dns-01 stands") struct Route53PlacementTests {
    private func place(
        of domain: String, in scene: DNSScene, zone: String? = nil
    ) async throws -> (zone: String, name: String)? {
        let found = try await scene.solver(zone: zone).placements(
            for: scene.answers([domain]), deadline: scene.deadline)
        return found.first.map { ($0.container, $0.name) }
    }

    @Test(
        "The public zone with the longest name that ends at a dot is taken",
        arguments: [
            ("a.example", "Z1"), ("b.a.example", "Z1"), ("c.a.example", "Z2"), ("d.c.a.example", "Z2"),
            ("xc.a.example", "Z1"), ("p.a.example", "Z1"), ("own.a.example", "Z6"),
        ])
    func longest(domain: String, zone: String) async throws {
        let scene = DNSScene(zones: [
            ("Z3", "example"), ("Z1", "a.example"), ("Z4", "b.example"), ("Z2", "c.a.example"),
            ("Z6", "_acme-challenge.own.a.example"),
        ])
        scene.dns.addZone("Z5", "p.a.example", isPrivate: true)
        let found = try await place(of: domain, in: scene)
        #expect(found?.zone == zone && found?.name == "_acme-challenge.\(domain)")
    }

    @Test("The zone that is given is taken where it holds the name, and looked for elsewhere")
    func given() async throws {
        let scene = DNSScene(zones: [("Z1", "a.example"), ("Z2", "a.example"), ("Z3", "b.example")])
        #expect(try await place(of: "x.a.example", in: scene, zone: "Z2")?.zone == "Z2")
        #expect(try await place(of: "x.b.example", in: scene, zone: "Z2")?.zone == "Z3")
    }

    @Test("CNAME records are followed into other zones, and many names may lead to one")
    func delegated() async throws {
        let scene = DNSScene(zones: [("Z1", "a.example"), ("Z2", "b.example")])
        scene.dns.put(.init("_acme-challenge.a.example", "CNAME", values: ["X.b.example."]), in: "Z1")
        scene.dns.put(.init("_acme-challenge.c.a.example", "CNAME", values: ["y.a.example"]), in: "Z1")
        scene.dns.put(.init("y.a.example", "CNAME", values: ["x.b.example"]), in: "Z1")
        for domain in ["a.example", "c.a.example"] {
            let found = try await place(of: domain, in: scene)
            #expect(found?.zone == "Z2" && found?.name == "x.b.example")
        }
    }

    @Test("Where there is no place, the error says why and what to do")
    func nowhere() async throws {
        let scene = DNSScene(zones: [("Z1", "a.example"), ("Z2", "twice.example"), ("Z3", "twice.example")])
        scene.dns.addZone("ZP", "private.example", isPrivate: true)
        scene.dns.put(.init("_acme-challenge.loop.a.example", "CNAME", values: ["to.a.example"]), in: "Z1")
        scene.dns.put(.init("to.a.example", "CNAME", values: ["_acme-challenge.loop.a.example"]), in: "Z1")
        scene.dns.put(.init("_acme-challenge.ns.a.example", "NS", values: ["ns.elsewhere.example"]), in: "Z1")
        let cases: [(domain: String, zone: String?, words: [String])] = [
            ("other.example", nil, ["No public hosted zone", "_acme-challenge.other.example", "HostedZoneRoleArn"]),
            ("xa.example", nil, ["No public hosted zone"]),
            ("private.example", nil, ["No public hosted zone"]),
            ("twice.example", nil, ["Z2, Z3", "twice.example", "HostedZoneId"]),
            ("private.example", "ZP", ["ZP (private.example) is private", "HostedZoneId"]),
            ("a.example", "Z9", ["HostedZoneId", "HostedZoneRoleArn"]),
            ("loop.a.example", nil, ["_acme-challenge.loop.a.example lead on"]),
            ("ns.a.example", nil, ["_acme-challenge.ns.a.example", "Z1 (a.example)"]),
        ]
        for (domain, zone, words) in cases {
            let error = try await scene.failure { _ = try await place(of: domain, in: scene, zone: zone) }
            #expect(error?.code == .noPlaceForAnswer, "\(domain)")
            for word in words { #expect(error?.message.contains(word) == true, "\(error?.message ?? domain)") }
        }
    }

    @Test("The record is the digest that RFC 8555 asks for, and zones are listed once")
    func value() async throws {
        let scene = DNSScene()
        // The key authorization of RFC 8555, 8.1, and what `printf | openssl dgst -sha256 -binary | basenc` make of it.
        let answer = ChallengeAnswer(
            domain: "a.example", token: "t",
            keyAuthorization: Redacted(
                "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"))
        let placements = try await scene.solver().placements(for: [answer, answer], deadline: scene.deadline)
        #expect(placements.map(\.value) == Array(repeating: "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo", count: 2))
        #expect(scene.dns.operations.map(\.name) == ["ListHostedZones", "ListResourceRecordSets"])
        #expect(!"\(placements)".contains(placements[0].value) && !"\(answer)".contains("LoqXcYV8"))
    }

    @Test("Messages name the settings as people make them", arguments: [SettingNames.properties, .options])
    func settingNames(settings: SettingNames) async throws {
        let scene = DNSScene()
        let isCommand = settings == .options
        let missing = try await scene.failure {
            _ = try await scene.solver(settings: settings)
                .checkPlaces(for: ["nowhere.test"], deadline: scene.deadline)
        }
        #expect(
            missing?.message.contains(isCommand ? "set --challenge to http-01" : "set Challenge to http-01") == true)
        let unknown = try await scene.failure {
            _ = try await scene.solver(zone: "ZNOWHERE", settings: settings)
                .checkPlaces(for: ["a.example"], deadline: scene.deadline)
        }
        #expect(
            unknown?.message.hasPrefix(
                isCommand
                    ? "The hosted zone of --hosted-zone-id does not exist"
                    : "The hosted zone of HostedZoneId does not exist"
            ) == true)
    }

    @Test("Zones of another account are asked for with the keys of a role there, assumed once")
    func otherAccount() async throws {
        let scene = DNSScene()
        let abroad = OtherAccount(dns: scene.dns, clock: scene.clock)
        let solver = Route53Solver(
            client: try scene.client(abroad), hostedZoneID: nil, roleARN: "arn:aws:iam::222233334444:role/dns",
            clock: scene.clock, settings: .properties)
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: scene.deadline)
        #expect(try await solver.present(placements, deadline: scene.deadline) == placements)
        #expect(abroad.roles == ["arn%3Aaws%3Aiam%3A%3A222233334444%3Arole%2Fdns"])
        #expect(abroad.signers == ["ASIAABROAD"])
        #expect(scene.dns.visibleTexts("_acme-challenge.a.example") == [placements[0].value])
    }

    @Test("A placement is read again as it was written down")
    func written() throws {
        let placement = ChallengePlacement(
            domain: "a.example", token: "t", container: "Z1", name: "_acme-challenge.a.example", value: "v")
        let text = try JSONEncoder().encode([placement])
        #expect(try JSONDecoder().decode([ChallengePlacement].self, from: text) == [placement])
    }
}

/// STS gives a role's keys, and Route 53 is in that role's account.
private final class OtherAccount: HTTPExecutor {
    private struct State {
        var roles: [String] = []
        var signers: Set<String> = []
    }

    private let dns: InMemoryRoute53
    private let clock: VirtualClock
    private let state = Mutex(State())

    init(dns: InMemoryRoute53, clock: VirtualClock) {
        self.dns = dns
        self.clock = clock
    }

    var roles: [String] { state.withLock { $0.roles } }
    /// The access keys of requests to Route 53.
    var signers: Set<String> { state.withLock { $0.signers } }

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        guard request.authority?.hasPrefix("sts.") == true else {
            let signer = request.headerFields[.authorization]?.split(separator: "=").dropFirst().first?
                .prefix { $0 != "/" }
            state.withLock { _ = $0.signers.insert(String(signer ?? "nobody")) }
            return try await dns.execute(request, body: body, deadline: deadline)
        }
        let role = String(decoding: body, as: UTF8.self).split(separator: "&").first { $0.hasPrefix("RoleArn=") }
        state.withLock { $0.roles.append(String(role?.dropFirst("RoleArn=".count) ?? "")) }
        let keys =
            "<Credentials><AccessKeyId>ASIAABROAD</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            + "<SessionToken>token</SessionToken>"
            + "<Expiration>\(clock.now.advanced(by: .seconds(900)).iso8601)</Expiration></Credentials>"
        return HTTPExchange(
            response: HTTPResponse(status: .ok),
            body: Array(
                "<AssumeRoleResponse><AssumeRoleResult>\(keys)</AssumeRoleResult></AssumeRoleResponse>".utf8))
    }
}
