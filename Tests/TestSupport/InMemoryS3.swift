package import AWSClient
package import HTTPTransport
package import HTTPTypes
internal import SigV4
internal import Synchronization
package import Timekeeping

/// An S3 in memory, at the level of the wire: it takes the requests that the network would carry and answers as S3
/// documents. The same input gives the same answers, version ids and entity tags.
///
/// What it is not asked for by ``AWSClient/S3`` it refuses with `NotImplemented`, so that a test cannot pass by luck.
package final class InMemoryS3: HTTPExecutor {
    /// One request that reached S3, or would have but for a fault.
    package struct Operation: Sendable, Hashable, CustomStringConvertible {
        /// Counts from 1, over all buckets.
        package let ordinal: Int
        /// As AWS's API reference names it.
        package let name: String
        package let bucket: String
        /// Empty for operations on a bucket.
        package let key: String

        package var description: String { "\(ordinal) \(name) \(bucket)/\(key)" }
    }

    /// What can go wrong in an operation.
    package enum Fault: Sendable, Hashable {
        /// Nothing is carried out; the answer is this status with S3's usual code for it (403, 409, 412, 500, 503).
        case answer(Int)
        /// Nothing is carried out; the connection is reset.
        case reset
        /// Nothing is carried out and no answer comes until the caller's deadline has passed.
        case hang
        /// It is carried out; the connection is reset before the answer.
        case loseAnswer
        /// It is carried out; no answer comes until the caller's deadline has passed.
        case hangAfterwards
        /// It is carried out; the answer is larger than what the caller reads.
        case answerTooLarge
    }

    private let clock: VirtualClock
    private let clockOffset: Duration
    private let owner: String
    private let requiresSignatures: Bool
    private let hidesMissingKeys: Bool
    private let state: Mutex<State>

    struct State {
        var buckets: [String: S3Bucket] = [:]
        var operations: [Operation] = []
        var fault: (@Sendable (Operation) -> Fault?)?
        var versionCount = 0
        var maxKeys: Int
    }

    /// - Parameters:
    ///   - clockOffset: how far S3's clock is ahead of the caller's.
    ///   - owner: the account of buckets that are made without one.
    ///   - requiresSignatures: refuses requests without `Authorization`, or dated more than five minutes off `clock`.
    ///   - hidesMissingKeys: answers 403 for a missing key, as S3 does to a caller without s3:ListBucket.
    ///   - maxKeys: the length of a listing's page.
    package init(
        clock: VirtualClock, clockOffset: Duration = .zero, owner: String = "111122223333",
        requiresSignatures: Bool = true, hidesMissingKeys: Bool = false, maxKeys: Int = 1000
    ) {
        self.clock = clock
        self.clockOffset = clockOffset
        self.owner = owner
        self.requiresSignatures = requiresSignatures
        self.hidesMissingKeys = hidesMissingKeys
        self.state = Mutex(State(maxKeys: maxKeys))
    }

    // MARK: Setting up

    package func createBucket(_ name: String, isVersioned: Bool = true, owner: String? = nil) {
        state.withLock {
            $0.buckets[name] = S3Bucket(owner: owner ?? self.owner, versioning: isVersioned ? .enabled : .never)
        }
    }

    /// What is stored stays as it is.
    package func setVersioning(_ versioning: BucketVersioning, bucket: String) {
        state.withLock { $0.buckets[bucket]?.versioning = versioning }
    }

    /// Removes all versions of an object, as somebody else may at any time.
    package func vanish(bucket: String, key: String) {
        state.withLock { $0.buckets[bucket]?.vanish(key) }
    }

    package func deleteBucket(_ name: String) {
        state.withLock { $0.buckets[name] = nil }
    }

    /// Asks `fault` before every operation what goes wrong in it; nil makes everything go well again.
    package func onOperation(_ fault: (@Sendable (Operation) -> Fault?)?) {
        state.withLock { $0.fault = fault }
    }

    // MARK: Looking at it

    package var operations: [Operation] { state.withLock { $0.operations } }

    package func forgetOperations() {
        state.withLock { $0.operations = [] }
    }

    /// The objects that a GET would find, by key.
    package func objects(bucket: String) -> [String: [UInt8]] {
        state.withLock { state in
            (state.buckets[bucket]?.current ?? []).reduce(into: [:]) { $0[$1.key] = $1.body }
        }
    }

    /// Everything that is still stored, delete markers included: by key, the latest first.
    package func versions(bucket: String) -> [ObjectVersion] {
        state.withLock { $0.buckets[bucket]?.listed ?? [] }
    }

    package func body(bucket: String, key: String) -> [UInt8]? {
        objects(bucket: bucket)[key]
    }

    /// The fields that the object's PUT carried and a HEAD returns: metadata and encryption, names in lower case.
    package func fields(bucket: String, key: String) -> [String: String]? {
        state.withLock { $0.buckets[bucket]?.current.first { $0.key == key }?.fields }
    }

    // MARK: The wire

    /// S3's usual answer with a status (403, 409, 412, 500, 503) to a request that is not carried out.
    package static func refusal(_ status: Int, to request: HTTPRequest, at now: UnixInstant) -> HTTPExchange {
        S3Answer.failure(.byStatus(status)).exchange(for: S3Request(request, body: []), ordinal: 0, now: now)
    }

    package func execute(
        _ request: HTTPRequest, body: [UInt8], deadline: UnixInstant
    ) async throws -> HTTPExchange {
        try Task.checkCancellation()
        guard clock.now < deadline else { throw TransportError(.timedOut, "S3 in memory: no time was left.") }
        let now = clock.now.advanced(by: clockOffset)
        let parsed = S3Request(request, body: body)
        let (operation, ask) = state.withLock { state in
            let operation = Operation(
                ordinal: state.operations.count + 1, name: parsed.operation?.rawValue ?? "Unknown",
                bucket: parsed.bucket, key: parsed.key)
            state.operations.append(operation)
            return (operation, state.fault)
        }
        // Outside the lock: a test may want to look at what is stored.
        let fault = ask?(operation)
        switch fault {
        case .answer(let status):
            return S3Answer.failure(.byStatus(status)).exchange(for: parsed, ordinal: operation.ordinal, now: now)
        case .reset:
            throw TransportError(.connectionLost, "S3 in memory: the connection was reset.")
        case .hang:
            throw hang(until: deadline)
        case .loseAnswer, .hangAfterwards, .answerTooLarge, nil:
            break
        }
        let answer = carryOut(parsed, now: now)
        switch fault {
        case .loseAnswer:
            throw TransportError(.connectionLost, "S3 in memory: the answer was lost.")
        case .hangAfterwards:
            throw hang(until: deadline)
        case .answerTooLarge:
            throw TransportError(.responseTooLarge, "S3 in memory: the answer is larger than 16 MB.")
        default:
            break
        }
        return answer.exchange(for: parsed, ordinal: operation.ordinal, now: now)
    }

    private func hang(until deadline: UnixInstant) -> TransportError {
        clock.advance(to: deadline)
        return TransportError(.timedOut, "S3 in memory: no answer in time.")
    }

    private func carryOut(_ request: S3Request, now: UnixInstant) -> S3Answer {
        if requiresSignatures, let refusal = request.signatureRefusal(now: now) { return .failure(refusal) }
        return state.withLock { state in
            guard var bucket = state.buckets[request.bucket] else { return .failure(.noSuchBucket) }
            if let expected = request.fields[named: "x-amz-expected-bucket-owner"], expected != bucket.owner {
                return .failure(.accessDenied)
            }
            state.versionCount += 1
            let answer = bucket.answer(
                request, newVersionID: "v\(state.versionCount)", maxKeys: state.maxKeys, now: now)
            state.buckets[request.bucket] = bucket
            return hidesMissingKeys && answer.isMissingKey ? .failure(.accessDenied) : answer
        }
    }
}
