import AWSClient
import HTTPTransport
import HTTPTypes
import TestSupport
import Testing
import Timekeeping

@Suite struct S3Tests {
    private let clock = VirtualClock()
    private var deadline: UnixInstant { clock.now.advanced(by: .seconds(60)) }

    @Test(
        "A bucket is part of the host where a certificate covers that, else of the path",
        arguments: [
            ("bucket", "eu-west-1", nil, "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/%C3%A9"),
            ("bucket", "us-east-1", nil, "https://bucket.s3.us-east-1.amazonaws.com/a%20b/%C3%A9"),
            ("bucket", "cn-north-1", nil, "https://bucket.s3.cn-north-1.amazonaws.com.cn/a%20b/%C3%A9"),
            ("dotted.bucket", "eu-west-1", nil, "https://s3.eu-west-1.amazonaws.com/dotted.bucket/a%20b/%C3%A9"),
            ("Old_Bucket", "us-east-1", nil, "https://s3.us-east-1.amazonaws.com/Old_Bucket/a%20b/%C3%A9"),
            ("bucket", "eu-west-1", "http://127.0.0.1:5000", "http://127.0.0.1:5000/bucket/a%20b/%C3%A9"),
            ("bucket", "eu-west-1", "https://host/base", "https://host/base/bucket/a%20b/%C3%A9"),
        ] as [(String, String, String?, String)])
    func addressing(bucket: String, region: String, endpoint: String?, url: String) async throws {
        let executor = ScriptedExecutor([.answer(200)], clock: clock)
        let s3 = S3(
            try makeClient(executor, clock: clock, region: region, endpointURL: endpoint), expectedBucketOwner: nil)
        _ = try await s3.headObject(bucket: bucket, key: "a b/é", deadline: deadline)
        #expect(executor.requests.map(\.line) == ["HEAD " + url])
    }

    @Test("A write carries its conditions, its encryption, its metadata and the owner, all of them signed")
    func putFields() async throws {
        let executor = ScriptedExecutor(
            [.answer(200, "", ["ETag": "\"tag\"", "x-amz-version-id": "v1"])], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: "111122223333")
        let stored = try await s3.putObject(
            bucket: "bucket", key: "k", body: [1, 2], contentType: "application/json",
            metadata: ["Generation": "g", "public-key": "MIIB+/=="], encryption: .kms("arn:aws:kms:::key/1"),
            ifNoneMatch: true, ifMatch: nil, deadline: deadline)
        #expect(stored.etag == "\"tag\"" && stored.versionID == "v1")
        let request = try #require(executor.requests.first)
        let expected = [
            "content-type": "application/json", "if-none-match": "*", "x-amz-meta-generation": "g",
            "x-amz-meta-public-key": "MIIB+/==", "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:::key/1",
            "x-amz-server-side-encryption-bucket-key-enabled": "false",
            "x-amz-expected-bucket-owner": "111122223333", "x-amz-security-token": sessionToken,
        ]
        let authorization = try #require(request["authorization"])
        for (name, value) in expected {
            #expect(request[name] == value)
            #expect(authorization.contains("\(name);") || authorization.contains("\(name),"))
        }
        #expect(request["if-match"] == nil)
    }

    @Test("A HEAD or GET never asks for a checksum, which would need kms:Decrypt")
    func noChecksumMode() async throws {
        let executor = ScriptedExecutor([.answer(200)], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        _ = try await s3.headObject(bucket: "bucket", key: "k", versionID: "v 1", deadline: deadline)
        _ = try await s3.getObject(bucket: "bucket", key: "k", deadline: deadline)
        #expect(executor.requests.map { $0["x-amz-checksum-mode"] } == [nil, nil])
        #expect(executor.requests.first?.head.path == "/k?versionId=v%201")
    }

    @Test(
        "What S3 would refuse or change is refused before it is sent",
        arguments: [
            ["k": "é"], ["k": "two\nlines"], ["k": " lead"], ["k": "trail "], ["k\r\n": "v"], ["k:": "v"], ["a b": "v"],
            ["k": String(repeating: "x", count: 2048)], ["K": "1", "k": "2"],
        ] as [[String: String]])
    func badMetadata(metadata: [String: String]) async throws {
        let executor = ScriptedExecutor([.answer(200)], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.putObject(bucket: "bucket", key: "k", body: [], metadata: metadata, deadline: deadline)
        }
        #expect(error?.code == .invalidRequest && error?.operation == "PutObject" && executor.requests.isEmpty)
    }

    @Test("2,048 bytes of metadata are allowed")
    func fullMetadata() async throws {
        let executor = ScriptedExecutor([.answer(200, "", ["ETag": "\"tag\""])], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        _ = try await s3.putObject(
            bucket: "bucket", key: "k", body: [], metadata: ["k": String(repeating: "x", count: 2047)],
            deadline: deadline)
    }

    @Test(
        "A bucket or key that cannot exist is not asked for",
        arguments: [
            ("ab", "k"), ("evil/bucket", "k"), ("evil@host", "k"), ("b\u{e9}cket", "k"), ("bucket", ""),
            ("bucket", String(repeating: "k", count: 1025)),
        ])
    func badAddress(bucket: String, key: String) async throws {
        let executor = ScriptedExecutor([.answer(200)], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure { try await s3.getObject(bucket: bucket, key: key, deadline: deadline) }
        #expect(error?.code == .invalidRequest && executor.requests.isEmpty)
    }

    @Test(
        "An answer to HEAD has no body, and its status says what it can",
        arguments: [
            (301, .permanentRedirect), (400, .badRequest), (403, .accessDenied), (404, .notFound),
            (405, .methodNotAllowed), (412, .preconditionFailed), (418, AWSError.Code(rawValue: "HTTP418")),
        ] as [(Int, AWSError.Code)])
    func headStatus(status: Int, code: AWSError.Code) async throws {
        let executor = ScriptedExecutor([.answer(status)], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure { try await s3.headObject(bucket: "bucket", key: "k", deadline: deadline) }
        #expect(error?.code == code && error?.httpStatus == status && executor.requests.count == 1)
        #expect(error?.isMissing == (status == 404))
    }

    @Test("A caller who may not list is told 403 for a missing key, and nobody takes it for absent")
    func hiddenKeys() async throws {
        let memory = InMemoryS3(clock: clock, hidesMissingKeys: true)
        memory.createBucket("bucket")
        let s3 = S3(try makeClient(memory, clock: clock), expectedBucketOwner: nil)
        let error = try await failure { try await s3.headObject(bucket: "bucket", key: "k", deadline: deadline) }
        #expect(error?.code == .accessDenied && error?.isMissing == false)
    }

    @Test(
        "A listing that is no listing is an error, not an empty one",
        arguments: [
            "", "<html/>not", "{}", "<A><IsTruncated>true</IsTruncated></A>",
            "<A><Contents><Size>1</Size></Contents></A>",
            "<A><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></A>",
            "<A><EncodingType>url</EncodingType><Contents><Key>%ff</Key></Contents></A>",
        ])
    func badListing(body: String) async throws {
        let s3 = S3(
            try makeClient(ScriptedExecutor([.answer(200, body)], clock: clock), clock: clock), expectedBucketOwner: nil
        )
        let error = try await failure { try await s3.listObjects(bucket: "bucket", prefix: "", deadline: deadline) }
        #expect(error?.code == .invalidResponse && error?.operation == "ListObjectsV2")
    }

    @Test("A listing whose next page is the same page does not go on for ever")
    func circularListing() async throws {
        let page = "<A><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></A>"
        let executor = ScriptedExecutor([.answer(200, page)], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure { try await s3.listObjects(bucket: "bucket", prefix: "", deadline: deadline) }
        #expect(error?.code == .invalidResponse && executor.requests.count == 2)
    }
}
