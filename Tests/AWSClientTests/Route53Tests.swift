import HTTPTypes
import TestSupport
import Testing
import Timekeeping

@testable import AWSClient

@Suite("Route 53") struct Route53Tests {
    private let clock = VirtualClock()
    private var deadline: UnixInstant { clock.now.advanced(by: .seconds(600)) }

    private func make(
        _ lines: [ScriptedExecutor.Line], region: String = "eu-west-1"
    ) throws -> (Route53, ScriptedExecutor) {
        let executor = ScriptedExecutor(lines, clock: clock)
        return (Route53(try makeClient(executor, clock: clock, region: region)), executor)
    }

    private func document(_ root: String, _ inside: String) -> String {
        "<?xml version=\"1.0\"?>\n<\(root) xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\(inside)</\(root)>"
    }

    @Test("All pages of the zones are read, and private ones told apart")
    func zones() async throws {
        func zone(_ id: String, _ name: String, _ isPrivate: Bool) -> String {
            "<HostedZone><Id>/hostedzone/\(id)</Id><Name>\(name)</Name><CallerReference>r</CallerReference>"
                + "<Config><Comment>c</Comment><PrivateZone>\(isPrivate)</PrivateZone></Config>"
                + "<ResourceRecordSetCount>7</ResourceRecordSetCount></HostedZone>"
        }
        let (route53, executor) = try make([
            .answer(
                200,
                document(
                    "ListHostedZonesResponse",
                    "<HostedZones>\(zone("Z1", "Example.com.", false))</HostedZones><IsTruncated>true</IsTruncated>"
                        + "<NextMarker>Z2</NextMarker><MaxItems>1</MaxItems>")),
            .answer(
                200,
                document(
                    "ListHostedZonesResponse",
                    "<HostedZones>\(zone("Z2", "\\052.a.example.", true))</HostedZones><IsTruncated>false</IsTruncated>"
                        + "<Marker>Z2</Marker><MaxItems>1</MaxItems>")),
        ])
        #expect(
            try await route53.listHostedZones(deadline: deadline) == [
                .init(id: "Z1", name: "example.com", isPrivate: false, recordSetCount: 7),
                .init(id: "Z2", name: "*.a.example", isPrivate: true, recordSetCount: 7),
            ])
        #expect(
            executor.requests.map(\.line) == [
                "GET https://route53.amazonaws.com/2013-04-01/hostedzone",
                "GET https://route53.amazonaws.com/2013-04-01/hostedzone?marker=Z2",
            ])
        #expect(executor.requests[0]["authorization"]?.contains("/us-east-1/route53/aws4_request") == true)
    }

    @Test("A zone is asked for by its id, with the prefix that Route 53 writes or without")
    func zone() async throws {
        let answer = document(
            "GetHostedZoneResponse", "<HostedZone><Id>/hostedzone/Z1</Id><Name>a.example.</Name></HostedZone>")
        let (route53, executor) = try make([.answer(200, answer)])
        for id in ["Z1", "/hostedzone/Z1"] {
            let zone = try await route53.getHostedZone(id, deadline: deadline)
            #expect(zone == .init(id: "Z1", name: "a.example", isPrivate: false, recordSetCount: .max))
        }
        #expect(Set(executor.requests.map { $0.head.path }) == ["/2013-04-01/hostedzone/Z1"])
        for id in ["", "../change", "Z1/rrset", "ä"] {
            let error = try await failure { try await route53.getHostedZone(id, deadline: deadline) }
            #expect(error?.code == .invalidRequest)
        }
        #expect(executor.requests.count == 2)
    }

    @Test("The sets of one name are read over all pages, and nothing of what follows in the zone")
    func recordSets() async throws {
        func set(_ name: String, _ inside: String, _ value: String) -> String {
            "<ResourceRecordSet><Name>\(name)</Name><Type>TXT</Type>\(inside)<TTL>10</TTL><ResourceRecords>"
                + "<ResourceRecord><Value>\(value)</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
        }
        let many = "<MultiValueAnswer>true</MultiValueAnswer>"
        let (route53, executor) = try make([
            .answer(
                200,
                document(
                    "ListResourceRecordSetsResponse",
                    "<ResourceRecordSets>"
                        + set("\\052.a.example.", "<SetIdentifier>one</SetIdentifier>\(many)", "&quot;x&quot;")
                        + "</ResourceRecordSets><IsTruncated>true</IsTruncated>"
                        + "<NextRecordName>\\052.a.example.</NextRecordName><NextRecordType>TXT</NextRecordType>"
                        + "<NextRecordIdentifier>two&amp;</NextRecordIdentifier><MaxItems>1</MaxItems>")),
            .answer(
                200,
                document(
                    "ListResourceRecordSetsResponse",
                    "<ResourceRecordSets>"
                        + set("\\052.a.example.", "<SetIdentifier>two&amp;</SetIdentifier><Weight>1</Weight>", "\"y\"")
                        + set("b.a.example.", "", "\"z\"") + "</ResourceRecordSets><IsTruncated>true</IsTruncated>"
                        + "<NextRecordName>c.a.example.</NextRecordName><NextRecordType>A</NextRecordType>")),
        ])
        let found = try await route53.listResourceRecordSets(zone: "Z1", name: "*.A.example", deadline: deadline)
        #expect(
            found.map(\.routing) == [.multivalueAnswer, .other] && found.map(\.setIdentifier) == ["one", "two&"])
        #expect(found[0].values == ["\"x\""] && found[0].ttl == 10 && found[0].name == "*.a.example")
        #expect(
            executor.requests.map { $0.head.path } == [
                "/2013-04-01/hostedzone/Z1/rrset?name=%2A.a.example.",
                "/2013-04-01/hostedzone/Z1/rrset?name=%5C052.a.example.&type=TXT&identifier=two%26",
            ])
    }

    @Test("A whole zone is read over all pages")
    func wholeZone() async throws {
        func page(_ name: String, _ next: String?) -> ScriptedExecutor.Line {
            .answer(
                200,
                document(
                    "ListResourceRecordSetsResponse",
                    "<ResourceRecordSets><ResourceRecordSet><Name>\(name).</Name><Type>A</Type><AliasTarget/>"
                        + "</ResourceRecordSet></ResourceRecordSets><IsTruncated>\(next != nil)</IsTruncated>"
                        + (next.map { "<NextRecordName>\($0).</NextRecordName><NextRecordType>A</NextRecordType>" }
                            ?? "")
                ))
        }
        let (route53, executor) = try make([page("a.example", "b.a.example"), page("b.a.example", nil)])
        let found = try await route53.listResourceRecordSets(zone: "Z1", deadline: deadline)
        #expect(found.map(\.name) == ["a.example", "b.a.example"] && found.map(\.routing) == [.other, .other])
        #expect(
            executor.requests.map { $0.head.path } == [
                "/2013-04-01/hostedzone/Z1/rrset", "/2013-04-01/hostedzone/Z1/rrset?name=b.a.example.&type=A",
            ])
    }

    @Test("A batch is written as the schema wants it, and its way to the name servers followed")
    func change() async throws {
        func answer(_ status: String) -> String {
            "<ChangeInfo><Id>/change/C1</Id><Status>\(status)</Status>"
                + "<SubmittedAt>2027-01-15T08:00:00Z</SubmittedAt></ChangeInfo>"
        }
        let (route53, executor) = try make([
            .answer(200, document("ChangeResourceRecordSetsResponse", answer("PENDING"))),
            .answer(200, document("GetChangeResponse", answer("INSYNC"))),
        ])
        let info = try await route53.changeResourceRecordSets(
            zone: "Z1",
            [
                .init(.delete, .init(name: "a.example.", type: "TXT", ttl: 300, values: ["\"a & <b>\"", "\"c\""])),
                .init(
                    .create,
                    .init(
                        name: "a.example", type: "TXT", routing: .multivalueAnswer, setIdentifier: "s-1", ttl: 10,
                        values: ["\"d\""])),
            ], deadline: deadline)
        #expect(info == .init(id: "C1", isInSync: false))
        #expect(try await route53.getChange(info.id, deadline: deadline).isInSync)
        #expect(executor.requests.map { $0.head.path }.last == "/2013-04-01/change/C1")
        let request = try #require(executor.requests.first)
        #expect(request.line == "POST https://route53.amazonaws.com/2013-04-01/hostedzone/Z1/rrset/")
        #expect(
            request.body == """
                <?xml version="1.0" encoding="UTF-8"?><ChangeResourceRecordSetsRequest \
                xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>\
                <Change><Action>DELETE</Action><ResourceRecordSet><Name>a.example.</Name><Type>TXT</Type><TTL>300</TTL>\
                <ResourceRecords><ResourceRecord><Value>"a &amp; &lt;b&gt;"</Value></ResourceRecord>\
                <ResourceRecord><Value>"c"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>\
                <Change><Action>CREATE</Action><ResourceRecordSet><Name>a.example.</Name><Type>TXT</Type>\
                <SetIdentifier>s-1</SetIdentifier><MultiValueAnswer>true</MultiValueAnswer><TTL>10</TTL>\
                <ResourceRecords><ResourceRecord><Value>"d"</Value></ResourceRecord></ResourceRecords>\
                </ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>
                """)
    }

    @Test(
        "A refused batch is told with Route 53's words, in either of its documents",
        arguments: [
            "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>"
                + "<Code>InvalidChangeBatch</Code><Message>it already exists</Message></Error></ErrorResponse>",
            "<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages><Message>it already"
                + "</Message><Message>exists</Message></Messages><RequestId>r</RequestId></InvalidChangeBatch>",
        ])
    func refused(answer: String) async throws {
        let (route53, executor) = try make([.answer(400, answer)])
        let error = try await failure {
            try await route53.changeResourceRecordSets(zone: "Z1", [], deadline: deadline)
        }
        #expect(error?.code == .invalidChangeBatch && executor.requests.count == 1)
        #expect(
            error?.message == "Route 53 ChangeResourceRecordSets failed with InvalidChangeBatch (HTTP 400): it already "
                + "exists.")
    }

    @Test(
        "A call that comes too soon is tried again", arguments: ["Throttling", "PriorRequestNotComplete"])
    func throttled(code: String) async throws {
        let refusal =
            "<ErrorResponse><Error><Code>\(code)</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        let (route53, executor) = try make([.answer(400, refusal)])
        let error = try await failure { try await route53.getChange("C1", deadline: deadline) }
        #expect(error?.isThrottling == true && executor.requests.count == 19)
    }

    @Test("A listing that leads to itself ends")
    func endless() async throws {
        let page = document(
            "ListHostedZonesResponse",
            "<HostedZones/><IsTruncated>true</IsTruncated><NextMarker>Z2</NextMarker><MaxItems>1</MaxItems>")
        let (route53, executor) = try make([.answer(200, page)])
        let error = try await failure { try await route53.listHostedZones(deadline: deadline) }
        #expect(error?.code == .invalidResponse && executor.requests.count == 2)
    }

    @Test(
        "A text is quoted as a TXT record's value",
        arguments: [
            ("", "\"\""), ("abc-_", "\"abc-_\""), ("a\"b\\c", #""a\"b\\c""#), ("ä\n", #""\303\244\012""#),
            (String(repeating: "x", count: 256), "\"\(String(repeating: "x", count: 255))\" \"x\""),
        ])
    func quoted(text: String, value: String) {
        #expect(Route53.quoted(text) == value)
    }

    @Test(
        "A name is read as it is compared",
        arguments: [
            ("\\052.Example.com.", "*.example.com"), ("a\\056b.c.", "a\\056b.c"), ("\\303\\244.d", "\\303\\244.d"),
            ("a\\134\\052.e.", "a\\134*.e"), ("f\\05", "f\\05"), (".", ""),
        ])
    func names(text: String, name: String) {
        #expect(text.domainName == name)
    }
}
