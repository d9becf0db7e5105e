import AWSClient
import CertificateIssuance
import Foundation
import HTTPTransport
import PKI
import TestSupport
import Testing
import Timekeeping

private let environment = ProcessInfo.processInfo.environment
private let endpoint = environment["STACKCERT_SERVICES_ENDPOINT"]

/// What the services in memory are asked in the other tests, asked of Route 53, ACM and IAM behind an endpoint: set
/// `STACKCERT_SERVICES_ENDPOINT` to its URL, and `STACKCERT_SERVICES_ZONE` to a public zone's name there. The keys are
/// read from `AWS_ACCESS_KEY_ID` and so on.
@Suite(.enabled(if: endpoint != nil)) struct ServicesConformanceTests {
    private func withClient(_ body: @Sendable (AWSServiceClient, UnixInstant) async throws -> Void) async throws {
        try await NetworkExecutor.with { executor in
            let clock = SystemWallClock()
            let client = AWSServiceClient(
                configuration: try AWSConfiguration(
                    region: environment["AWS_REGION"] ?? "us-east-1", endpointURL: endpoint),
                executor: executor, credentials: EnvironmentCredentials(environment: environment), clock: clock)
            try await body(client, clock.now.advanced(by: .seconds(60)))
        }
    }

    @Test("Answers to dns-01 are put into a zone, beside each other and into somebody's set, and taken back")
    func challenges() async throws {
        let domain = try #require(environment["STACKCERT_SERVICES_ZONE"])
        try await withClient { client, deadline in
            let route53 = Route53(client)
            let solver = Route53Solver(route53: route53, clock: SystemWallClock(), settings: .properties)
            let domains = [domain, domain, "theirs.\(domain)", "alias.\(domain)"]
            let answers = DNSScene().answers(domains)
            let zone = try #require(
                try await route53.listHostedZones(deadline: deadline).last { $0.name == domain && !$0.isPrivate })
            let theirs = Route53.ResourceRecordSet(
                name: "_acme-challenge.theirs.\(domain)", type: "TXT", ttl: 300, values: ["\"theirs\""])
            let alias = Route53.ResourceRecordSet(
                name: "_acme-challenge.alias.\(domain)", type: "CNAME", ttl: 300, values: ["to.\(domain)."])
            _ = try await route53.changeResourceRecordSets(
                zone: zone.id, [.init(.create, theirs), .init(.create, alias)], deadline: deadline)
            let placements = try await solver.placements(for: answers, deadline: deadline)
            #expect(placements.map(\.container) == Array(repeating: zone.id, count: 4))
            #expect(placements.last?.name == "to.\(domain)")
            #expect(try await solver.present(placements, deadline: deadline) == placements)
            for placement in placements {
                let sets = try await route53.listResourceRecordSets(
                    zone: zone.id, name: placement.name, deadline: deadline)
                #expect(sets.flatMap(\.values).contains(Route53.quoted(placement.value)))
            }
            try await solver.cleanUp(placements, deadline: deadline)
            let left = try await route53.listResourceRecordSets(zone: zone.id, deadline: deadline)
            #expect(left.filter { $0.type == "TXT" } == [theirs])
            _ = try await route53.changeResourceRecordSets(
                zone: zone.id, [.init(.delete, theirs), .init(.delete, alias)], deadline: deadline)
        }
    }

    @Test(
        "Copies in ACM are made once, found by their tags, replaced and deleted",
        arguments: [KeyAlgorithm.ecP256, .rsa2048])
    func acm(algorithm: KeyAlgorithm) async throws {
        // Generations of their own: the others' copies are made and deleted at the same time.
        let first = try await realCopy("1-\(algorithm)", algorithm)
        let second = try await realCopy("2-\(algorithm)", algorithm)
        try await withClient { client, deadline in
            let copies = ACMCopies(acm: ACM(client), clock: SystemWallClock())
            let arn = try await copies.importOnce(first, deadline: deadline)
            #expect(try await copies.importOnce(first, deadline: deadline) == arn)
            #expect(try await copies.importOnce(second, deadline: deadline) != arn)
            try await copies.remove(second.label, names: second.certificate.names, deadline: deadline)
            try await copies.replace(arn, by: second, deadline: deadline)
            let found = try await ACM(client).describeCertificate(arn, deadline: deadline)
            #expect(found.type == "IMPORTED")
            let body = try await ACM(client).getCertificate(arn, deadline: deadline)
            #expect(try IssuedCertificate(pem: body) == second.certificate)
            #expect(found.notAfter == second.certificate.notAfter)
            try await copies.remove(second.label, names: nil, knownARN: arn, deadline: deadline)
            #expect(try await !ACM(client).listCertificates(deadline: deadline).map(\.arn).contains(arn))
        }
    }

    @Test("Copies in IAM are made once and deleted")
    func iam() async throws {
        let copy = try await realCopy("1", .ecP256)
        try await withClient { client, deadline in
            let copies = IAMCopies(iam: IAM(client), path: "/cloudfront/app/", clock: SystemWallClock())
            let made = try await copies.uploadOnce(copy, deadline: deadline)
            #expect(try await copies.uploadOnce(copy, deadline: deadline) == made)
            #expect(
                try await IAM(client).listServerCertificates(pathPrefix: "/cloudfront/app/", deadline: deadline)
                    == [made])
            for _ in 0..<2 { try await copies.remove(copy.label, deadline: deadline) }
            #expect(try await !IAM(client).listServerCertificates(deadline: deadline).contains(made))
        }
    }

    private func realCopy(_ rotation: String, _ algorithm: KeyAlgorithm) async throws -> CertificateCopy {
        let clock = VirtualClock(SystemWallClock().now)
        return try await CopyScene(clock: clock).copy(rotation, algorithm: algorithm)
    }
}
