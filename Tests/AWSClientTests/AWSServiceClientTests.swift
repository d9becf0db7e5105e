import AWSClient
import Diagnostics
import HTTPTransport
import SigV4
import TestSupport
import Testing
import Timekeeping

@Suite struct RetryTests {
    private let clock = VirtualClock()

    /// How many requests one GET makes when every answer is the same, and what it fails with.
    private func outcome(_ line: ScriptedExecutor.Line) async throws -> (requests: Int, error: AWSError?) {
        let executor = ScriptedExecutor([line], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let deadline = clock.now.advanced(by: .seconds(900))
        let error = try await failure { try await s3.getObject(bucket: "bucket", key: "key", deadline: deadline) }
        return (executor.requests.count, error)
    }

    @Test(
        "What may succeed later is tried for two minutes", .contract(32),
        arguments: [
            (500, "InternalError"), (500, "AnythingElse"), (502, ""), (503, "SlowDown"), (503, "ServiceUnavailable"),
            (503, ""), (504, ""), (429, ""), (409, "ConditionalRequestConflict"), (409, "OperationAborted"),
            (400, "RequestTimeout"), (400, "Throttling"), (400, "ThrottlingException"),
            (400, "TooManyRequestsException"), (403, "RequestLimitExceeded"),
        ])
    func retried(status: Int, code: String) async throws {
        let (requests, error) = try await outcome(.answer(status, code.isEmpty ? "" : s3Error(code)))
        // After 0.1, 0.3, 0.7, 1.5, 3.1, 6.3 and 12.7 seconds, then every ten.
        #expect(requests == 19)
        #expect(clock.now == VirtualClock().now.advanced(by: .milliseconds(122_700)))
        #expect(error?.httpStatus == status && error?.isRetryable == true)
        #expect(code.isEmpty || error?.code.rawValue == code)
    }

    @Test(
        "What will not succeed is tried once",
        arguments: [
            (403, "AccessDenied"), (404, "NoSuchKey"), (404, "NoSuchBucket"), (412, "PreconditionFailed"),
            (400, "InvalidArgument"), (403, "SignatureDoesNotMatch"), (403, "ExpiredToken"), (301, "PermanentRedirect"),
            (501, "NotImplemented"), (403, "RequestTimeTooSkewed"),
        ])
    func notRetried(status: Int, code: String) async throws {
        let (requests, error) = try await outcome(.answer(status, s3Error(code)))
        #expect(requests == 1)
        #expect(error?.code.rawValue == code && error?.isRetryable == false)
    }

    @Test(
        "A lost connection is tried again, a request that cannot be sent is not",
        arguments: [
            (.connectFailed, .connectionFailed, 19), (.connectionLost, .connectionLost, 19),
            (.failed, .connectionLost, 19), (.invalidRequest, .invalidRequest, 1),
            (.responseTooLarge, .invalidResponse, 1),
        ] as [(TransportError.Code, AWSError.Code, Int)])
    func transport(code: TransportError.Code, becomes: AWSError.Code, requests: Int) async throws {
        let result = try await outcome(.failure(code))
        #expect(result.requests == requests && result.error?.code == becomes && result.error?.httpStatus == nil)
        #expect((result.error?.cause as? TransportError)?.code == code)
    }

    @Test("Waits double from 100 ms to ten seconds, as long as the deadline allows")
    func backoff() async throws {
        let executor = ScriptedExecutor([.answer(503, s3Error("SlowDown"))], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        _ = try await failure {
            try await s3.getObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        }
        let times = executor.requests.map(\.at)
        let waits = zip(times, times.dropFirst()).map { $0.duration(to: $1) }
        #expect(
            waits == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000].map { .milliseconds($0) })
    }

    @Test(
        "Retry-After is waited for, in seconds or up to a date",
        arguments: [("7", 7000), ("0", 100), ("Fri, 15 Jan 2027 08:00:12 GMT", 12_000), ("soon", 100), ("-5", 100)])
    func retryAfter(value: String, milliseconds: Int64) async throws {
        let executor = ScriptedExecutor(
            [.answer(503, s3Error("SlowDown"), ["Retry-After": value]), .answer(200, "x")], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let start = clock.now
        _ = try await s3.getObject(bucket: "bucket", key: "k", deadline: start.advanced(by: .seconds(60)))
        #expect(start.duration(to: clock.now) == .milliseconds(milliseconds))
    }

    @Test("Nothing is sent after the deadline, and no wait goes past it")
    func deadline() async throws {
        let executor = ScriptedExecutor([.answer(503, s3Error("SlowDown"), ["Retry-After": "60"])], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let start = clock.now
        let patient = try await failure {
            try await s3.getObject(bucket: "bucket", key: "k", deadline: start.advanced(by: .seconds(30)))
        }
        #expect(patient?.code == .slowDown && clock.now == start && executor.requests.count == 1)
        let late = try await failure { try await s3.getObject(bucket: "bucket", key: "k", deadline: start) }
        #expect(late?.code == .timedOut && executor.requests.count == 1)
        #expect(late?.mayHaveBeenCarriedOut == false)
    }

    @Test("A connection that says nothing is given up after a while and the call tried again")
    func hang() async throws {
        let executor = ScriptedExecutor([.hang, .answer(200, "x")], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let start = clock.now
        _ = try await s3.getObject(bucket: "bucket", key: "k", deadline: start.advanced(by: .seconds(60)))
        #expect(start.duration(to: clock.now) == .milliseconds(20_100))
    }

    @Test("Cancellation stays what it is")
    func cancellation() async throws {
        let executor = ScriptedExecutor([.cancelled], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        await #expect(throws: CancellationError.self) {
            try await s3.getObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        }
    }

    @Test("All calls of a client share what may be spent on retries, and successes earn it back")
    func quota() async throws {
        let executor = ScriptedExecutor([.answer(503, s3Error("SlowDown"))], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        func call(_ s3: S3) async throws {
            _ = try await failure {
                try await s3.getObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
            }
        }
        // 500 tokens at 5 a failure; each call fails 12 times before its time is over.
        for _ in 0..<9 { try await call(s3) }
        #expect(executor.requests.count == 8 * 12 + 5)
        for _ in 0..<10 { try await call(s3) }
        #expect(executor.requests.count == 8 * 12 + 15)
    }

    @Test("A quota that was spent is whole again for the next invocation", .contract(32))
    func refilled() async throws {
        let quota = RetryQuota()
        while quota.pay() != nil {}
        let executor = ScriptedExecutor([.answer(503, s3Error("SlowDown")), .answer(200, "x")], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock, quota: quota), expectedBucketOwner: nil)
        let deadline = clock.now.advanced(by: .seconds(60))
        #expect(try await failure { try await s3.getObject(bucket: "bucket", key: "k", deadline: deadline) } != nil)
        quota.refill()
        let again = ScriptedExecutor([.answer(503, s3Error("SlowDown")), .answer(200, "x")], clock: clock)
        let next = S3(try makeClient(again, clock: clock, quota: quota), expectedBucketOwner: nil)
        #expect(try await next.getObject(bucket: "bucket", key: "k", deadline: deadline).body == Array("x".utf8))
    }

    @Test("A success after a retry gives back its price, and one without a little")
    func refund() async throws {
        // 101 calls of one retry each: the quota would be spent after 100 if nothing came back.
        let once: [ScriptedExecutor.Line] = [.answer(503, s3Error("SlowDown")), .answer(200, "x")]
        let executor = ScriptedExecutor((0..<150).flatMap { _ in once }, clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        for _ in 0..<150 {
            _ = try await s3.getObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        }
        #expect(executor.requests.count == 300)
    }
}

@Suite struct UncertaintyTests {
    private let clock = VirtualClock()

    private func put(_ lines: [ScriptedExecutor.Line]) async throws -> AWSError? {
        let s3 = S3(try makeClient(ScriptedExecutor(lines, clock: clock), clock: clock), expectedBucketOwner: nil)
        return try await failure {
            try await s3.putObject(
                bucket: "bucket", key: "k", body: [1], ifNoneMatch: true, deadline: clock.now.advanced(by: .seconds(60))
            )
        }
    }

    @Test("A failed write tells whether it may have been carried out")
    func told() async throws {
        let refused = ScriptedExecutor.Line.answer(412, s3Error("PreconditionFailed"))
        #expect(try await put([refused])?.mayHaveBeenCarriedOut == false)
        for doubt in [.failure(.connectionLost), .hang, .answer(500, "")] as [ScriptedExecutor.Line] {
            let error = try await put([doubt, refused])
            #expect(error?.code == .preconditionFailed && error?.mayHaveBeenCarriedOut == true)
        }
        for clear in [.failure(.connectFailed), .answer(503, s3Error("SlowDown")), .answer(409, "")]
            as [ScriptedExecutor.Line]
        {
            #expect(try await put([clear, refused])?.mayHaveBeenCarriedOut == false)
        }
    }

    @Test("A request to AWS names the program and its version")
    func userAgent() async throws {
        let executor = ScriptedExecutor([.answer(200)], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        _ = try await s3.headObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        #expect(executor.requests.first?["user-agent"] == ProductVersion.userAgent)
        #expect(ProductVersion.userAgent == "stackcert/\(ProductVersion.text)")
    }

    @Test("A write whose answer was lost fails with 412 when it is tried again, and the object is there")
    func lostAnswer() async throws {
        let memory = InMemoryS3(clock: clock)
        memory.createBucket("bucket")
        memory.onOperation { $0.ordinal == 1 ? .loseAnswer : nil }
        let s3 = S3(try makeClient(memory, clock: clock), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.putObject(
                bucket: "bucket", key: "k", body: [7], ifNoneMatch: true, deadline: clock.now.advanced(by: .seconds(60))
            )
        }
        #expect(error?.code == .preconditionFailed && error?.mayHaveBeenCarriedOut == true)
        #expect(memory.body(bucket: "bucket", key: "k") == [7])
        #expect(memory.operations.map(\.name) == ["PutObject", "PutObject"])
    }

    @Test("A success whose body tells of an error is an error, and tried again")
    func errorInSuccess() async throws {
        let executor = ScriptedExecutor([.answer(200, s3Error("InternalError"))], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.listObjects(bucket: "bucket", prefix: "", deadline: clock.now.advanced(by: .seconds(60)))
        }
        #expect(error?.code == .internalError && error?.httpStatus == 500 && executor.requests.count == 12)
    }

    @Test(
        "White space before an error in a success does not hide it",
        arguments: [" ", "\r\n", "\n\t  \n"])
    func errorBehindWhiteSpace(space: String) async throws {
        let error = try await put([.answer(200, space + s3Error("InternalError"), ["ETag": "\"tag\""])])
        #expect(error?.code == .internalError && error?.mayHaveBeenCarriedOut == true)
    }

    @Test("A PUT that succeeded without an ETag was not answered by S3", arguments: ["", "<html>Welcome</html>"])
    func notS3(body: String) async throws {
        let error = try await put([.answer(200, body)])
        #expect(error?.code == .invalidResponse && error?.mayHaveBeenCarriedOut == true)
        #expect(error?.message.hasPrefix("S3 PutObject: the response (HTTP 200) has no ETag") == true)
        #expect(try await put([.answer(200, "", ["ETag": "\"tag\""])]) == nil)
    }

    @Test("Of an error's body the first 64 KB are read")
    func longError() async throws {
        func code(_ length: Int) async throws -> AWSError.Code? {
            let body = s3Error("NoSuchUpload", String(repeating: "word ", count: length / 5))
            return try await put([.answer(404, body)])?.code
        }
        #expect(try await code(60 << 10)?.rawValue == "NoSuchUpload")
        #expect(try await code(64 << 10) == .notFound)
        #expect(try await code(16 << 20) == .notFound)
    }

    @Test("An object that looks like an error is just an object")
    func errorAsObject() async throws {
        let executor = ScriptedExecutor([.answer(200, s3Error("InternalError"))], clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
        let read = try await s3.getObject(
            bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        #expect(read.body == Array(s3Error("InternalError").utf8))
    }
}

@Suite struct ClockSkewTests {
    @Test("A wrong clock is corrected by the first refusal, for later calls too", arguments: [-3600, 3600, 301, -301])
    func corrected(seconds: Int64) async throws {
        let clock = VirtualClock()
        let memory = InMemoryS3(clock: clock, clockOffset: .seconds(seconds))
        memory.createBucket("bucket")
        let s3 = S3(try makeClient(memory, clock: clock), expectedBucketOwner: nil)
        let deadline = UnixInstant(milliseconds: .max)
        _ = try await s3.putObject(bucket: "bucket", key: "k", body: [], deadline: deadline)
        #expect(memory.operations.count == 2)
        _ = try await s3.headObject(bucket: "bucket", key: "k", deadline: deadline)
        #expect(memory.operations.count == 3)
    }

    @Test("A HEAD, whose refusal has no code, is corrected as well")
    func head() async throws {
        let clock = VirtualClock()
        let memory = InMemoryS3(clock: clock, clockOffset: .seconds(900))
        memory.createBucket("bucket")
        let s3 = S3(try makeClient(memory, clock: clock), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.headObject(bucket: "bucket", key: "k", deadline: UnixInstant(milliseconds: .max))
        }
        #expect(error?.code == .notFound)
    }

    @Test("A clock is corrected once in a call, and not when the time explains nothing")
    func once() async throws {
        let clock = VirtualClock()
        func requests(_ dates: [Int64]) async throws -> Int {
            let lines = dates.map {
                ScriptedExecutor.Line.answer(
                    403, s3Error("RequestTimeTooSkewed"), ["Date": clock.now.advanced(by: .seconds($0)).httpDate])
            }
            let executor = ScriptedExecutor(lines, clock: clock)
            let s3 = S3(try makeClient(executor, clock: clock), expectedBucketOwner: nil)
            let error = try await failure {
                try await s3.getObject(bucket: "bucket", key: "k", deadline: UnixInstant(milliseconds: .max))
            }
            #expect(error?.code == .requestTimeTooSkewed)
            return executor.requests.count
        }
        #expect(try await requests([3600, 7200, 10_800]) == 2)
        #expect(try await requests([3600, 3600]) == 2)
        #expect(try await requests([10]) == 1)
    }
}
