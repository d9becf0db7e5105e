internal import AWSClient
internal import CertificateIssuance
internal import Logging
internal import Timekeeping

/// Takes, keeps and gives back the right to work on a stack, by conditional writes of its ``RenewalAttempt``.
struct AttemptMemory: Sendable {
    let stack: DueStack
    let state: StateBucket
    let deadline: UnixInstant

    struct Held: Sendable {
        var value: RenewalAttempt
        fileprivate(set) var etag: String
    }

    private var key: String { RenewalAttempt.key(stackGUID: stack.guid) }

    /// - Parameter trigger: a person need not wait for the next try.
    /// - Returns: nil when the stack's next try is not due yet, or when another run has it.
    func take(at now: UnixInstant, lease: Duration, trigger: RenewalTrigger = .schedule) async throws -> Held? {
        let existing = try await existing()
        var attempt = existing?.document ?? RenewalAttempt(stack, now: now)
        guard !attempt.isLeased(at: now),
            attempt.execution != nil || !attempt.isPausing(at: now) || trigger.isAttended
        else { return nil }
        if attempt.leaseEnds > now || attempt.nextTry > now, !trigger.isAttended {
            Logger.current.warning(
                "a lease or a pause that ends too late is ignored",
                metadata: [
                    "renewal.memory": "s3://\(state.name)/\(key)", "renewal.lease_ends": "\(attempt.leaseEnds.iso8601)",
                    "renewal.next_try": "\(attempt.nextTry.iso8601)",
                ])
        }
        attempt = attempt.for(stack)
        attempt.leaseEnds = now.advanced(by: lease)
        var etag = ""
        let isTaken = try await unlessPreconditionFails {
            etag = try await state.write(
                attempt, at: key, ifNoneMatch: existing == nil, ifMatch: existing?.etag, deadline: deadline)
        }
        return isTaken ? Held(value: attempt, etag: etag) : nil
    }

    /// Nil when nothing is remembered; without a document when it cannot be read, and is to be replaced.
    private func existing() async throws -> (document: RenewalAttempt?, etag: String)? {
        do {
            return try await state.document(RenewalAttempt.self, at: key, deadline: deadline)
        } catch let error as IssuanceError where error.code == .unreadable {
            Logger.current.error(
                "a renewal's memory cannot be read and is made anew", metadata: ["error.message": "\(text(of: error))"])
            let etag = try await state.etagOfDamaged(key, deadline: deadline) {
                _ = try await state.document(RenewalAttempt.self, at: key, deadline: deadline)
            }
            guard let etag else { return try await state.document(RenewalAttempt.self, at: key, deadline: deadline) }
            return (nil, etag)
        }
    }

    /// - Throws: ``AWSError`` with `preconditionFailed` when the lease was lost.
    func write(_ held: inout Held) async throws {
        held.etag = try await state.write(held.value, at: key, ifMatch: held.etag, deadline: deadline)
    }

    /// - Returns: false when the lease was lost: whoever has it now writes down how it goes on.
    @discardableResult
    func close(_ held: inout Held) async throws -> Bool {
        try await unlessPreconditionFails { try await write(&held) }
    }

    /// Does nothing when the lease was lost.
    func remove(_ held: Held) async throws {
        _ = try await unlessPreconditionFails {
            try await state.delete(key, ifMatch: held.etag, deadline: deadline)
        }
    }
}
