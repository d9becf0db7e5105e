import Diagnostics
import HTTPTransport
import InMemoryLogging
import Logging
import SigV4
import TestSupport
import Testing
import Timekeeping

@testable import AWSClient

@Suite struct DisclosureTests {
    private let clock = VirtualClock()

    @Test(
        "AWS's words are shown on one line without anything that looks like a secret",
        arguments: [
            ("Access Denied", "Access Denied"),
            (
                "User: arn:aws:sts::111122223333:assumed-role/stackcert-backend/stackcert is not authorized to perform: "
                    + "s3:PutObject on resource: \"arn:aws:s3:::bucket/backend-certificate/app/0123456789abcdef/a.json\"",
                "User: arn:aws:sts::111122223333:assumed-role/stackcert-backend/stackcert is not authorized to perform: "
                    + "s3:PutObject on resource: \"arn:aws:s3:::bucket/backend-certificate/app/0123456789abcdef/a.json\""
            ),
            ("two\r\nlines\tand\u{0}more", "two lines and more"),
            ("The key AKIAIOSFODNN7EXAMPLE, is unknown", "The key <hidden>, is unknown"),
            ("secret wJalrXUtnFEMI/K7MDENG+bPxRfiCYzzzzzzzKEY9.", "secret <hidden>."),
            ("see https://b.s3.aws/k?X-Amz-Signature=0123&x=y now", "see https://b.s3.aws/k?<hidden> now"),
            ("token=\(sessionToken) end", "token=<hidden> end"),
            ("a\u{202E}b", "a b"),
            ("", ""),
        ])
    func sanitized(words: String, shown: String) {
        #expect(ForeignText.sanitized(words, hiding: [sessionToken, secretKey]) == shown)
    }

    @Test("Pieces of a private key that S3 repeats are not shown", arguments: [8, 10, 16, 31, 40, 64])
    func keyInPieces(length: Int) async throws {
        let body =
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
            + "OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r"
        let pem = "-----BEGIN PRIVATE KEY-----\n\(body)\n-----END PRIVATE KEY-----\n"
        let flat = Array(body.filter { $0 != "\n" })
        let pieces = stride(from: 0, to: flat.count, by: length).map { String(flat[$0..<min($0 + length, flat.count)]) }
        let executor = ScriptedExecutor(
            [.answer(400, s3Error("MalformedRequest", "Read: " + pieces.joined(separator: ", ")))], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.putObject(
                bucket: "bucket", key: "k", body: Array(pem.utf8), secret: Redacted(pem),
                deadline: clock.now.advanced(by: .seconds(60)))
        }
        let message = try #require(error?.message)
        #expect(message.contains("Read: <hidden>"))
        for piece in pieces where piece.count >= 8 { #expect(!message.contains(piece)) }
    }

    @Test("AWS's words are cut to a length that leaves room for ours")
    func bounded() {
        let shown = ForeignText.sanitized(String(repeating: "word ", count: 1000), hiding: [])
        #expect(shown.count <= 302 && shown.hasSuffix(" …"))
        #expect(ForeignText.sanitized(String(repeating: "x", count: 1000), hiding: []).count <= 302)
        #expect(ForeignText.sanitized("arn:" + String(repeating: "x", count: 1000), hiding: []).count <= 302)
    }

    @Test("Neither errors nor logs show a key, a token, a body or a query")
    func nothingShown() async throws {
        let handler = InMemoryLogHandler()
        var logger = Logger(label: "test", factory: { _ in handler })
        logger.logLevel = .trace
        let told = "Key \(accessKeyID), secret \(secretKey), token \(sessionToken), body the-private-key"
        let executor = ScriptedExecutor(
            [
                .answer(500, s3Error("InternalError", told)), .failure(.connectionLost),
                .answer(
                    403, s3Error("AccessDenied", told),
                    ["x-amz-request-id": "ABC123", "Date": clock.now.advanced(by: .seconds(9000)).httpDate]),
                .answer(403, s3Error("Access Denied \(secretKey)", told), ["x-amz-request-id": "<\(secretKey)>"]),
            ], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock, logger: logger), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.putObject(
                bucket: "bucket", key: "k", body: Array("the-private-key".utf8),
                deadline: clock.now.advanced(by: .seconds(60)))
        }
        let shown = try #require(error)
        var texts = [shown.message, "\(shown)", Reason(shown).description, shown.code.rawValue]
        texts += handler.entries.map { "\($0.message) \($0.metadata)" }
        #expect(handler.entries.count > 3)
        for text in texts {
            #expect(!text.contains(secretKey) && !text.contains(sessionToken) && !text.contains(accessKeyID), "\(text)")
        }
        for entry in handler.entries {
            #expect(!"\(entry.message) \(entry.metadata)".contains("private"))
        }
    }

    @Test("An error names the operation, AWS's code, status and request id, and the bucket's region")
    func message() async throws {
        let executor = ScriptedExecutor(
            [
                .answer(
                    301, s3Error("PermanentRedirect", "The bucket must be addressed elsewhere."),
                    ["x-amz-request-id": "4442587FB7D0A2F9", "x-amz-bucket-region": "eu-central-1"])
            ], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.getObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        }
        #expect(
            error?.message == "S3 GetObject failed with PermanentRedirect (HTTP 301): The bucket must be addressed "
                + "elsewhere. The bucket is in eu-central-1. Request id 4442587FB7D0A2F9.")
        #expect(error?.service == "s3" && error?.operation == "GetObject" && error?.requestID == "4442587FB7D0A2F9")
    }

    @Test("An error for which AWS has no words has no empty sentence", arguments: ["", " ", "\n"])
    func noWords(words: String) async throws {
        let executor = ScriptedExecutor([.answer(400, s3Error("InvalidArgument", words))], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.getObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        }
        #expect(error?.message == "S3 GetObject failed with InvalidArgument (HTTP 400).")
    }

    @Test("Retries are logged at info, all else at debug, with the operation and AWS's code")
    func logged() async throws {
        let handler = InMemoryLogHandler()
        var logger = Logger(label: "test", factory: { _ in handler })
        logger.logLevel = .debug
        let executor = ScriptedExecutor([.answer(503, s3Error("SlowDown")), .answer(200, "x")], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock, logger: logger), expectedBucketOwner: nil)
        _ = try await s3.getObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        #expect(handler.entries.map(\.level) == [.info, .debug])
        #expect(
            handler.entries.first?.metadata
                == ["aws.service": "s3", "aws.operation": "GetObject", "aws.error_code": "SlowDown"])
    }
}
