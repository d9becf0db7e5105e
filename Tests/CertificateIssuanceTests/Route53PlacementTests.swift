import CertificateIssuance
import Diagnostics
import Foundation
import TestSupport
import Testing

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

    @Test("A placement is read again as it was written down")
    func written() throws {
        let placement = ChallengePlacement(
            domain: "a.example", token: "t", container: "Z1", name: "_acme-challenge.a.example", value: "v")
        let text = try JSONEncoder().encode([placement])
        #expect(try JSONDecoder().decode([ChallengePlacement].self, from: text) == [placement])
    }
}
