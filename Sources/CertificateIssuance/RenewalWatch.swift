internal import AWSClient
package import Timekeeping

/// A marker in the state bucket that says which generation a renewal has replaced, and when. Should that generation be in
/// use again, then somebody has set the rotation parameter back. Its key says all:
/// `renewed/<ISO minute>/<stack GUID>.<LogicalId>.<generation>`.
package struct RenewalWatch: Hashable, Sendable {
    static let root = "renewed/"
    /// For so long it is looked at; the bucket's lifecycle removes it later.
    static let age: Duration = .days(30)

    package let stackGUID: String
    package let logicalResourceID: String
    /// The one that was replaced.
    package let generation: String
    /// To the minute.
    package let renewedAt: UnixInstant

    package init(stackGUID: String, logicalResourceID: String, generation: String, renewedAt: UnixInstant) {
        self.stackGUID = stackGUID
        self.logicalResourceID = logicalResourceID
        self.generation = generation
        self.renewedAt = renewedAt
    }

    /// Nil for a key that is no marker of ours.
    init?(key: String) {
        guard key.hasPrefix(Self.root),
            let action = RenewalAction(key: RenewalAction.root + key.dropFirst(Self.root.count)),
            let minute = UnixInstant(iso8601: action.minute.dropLast() + ":00Z")
        else { return nil }
        self.init(
            stackGUID: action.stackGUID, logicalResourceID: action.logicalResourceID,
            generation: action.generation.description, renewedAt: minute)
    }

    var key: String { "\(Self.root)\(Self.minute(renewedAt))/\(name)" }

    /// `<stack GUID>.<LogicalId>.<generation>`
    package var name: String { "\(stackGUID).\(logicalResourceID).\(generation)" }

    /// Where the generation's record is, when there is one.
    package var recordKey: String { "\(CertificateRecord.root)\(stackGUID)/\(logicalResourceID)/\(generation).json" }

    fileprivate static func minute(_ instant: UnixInstant) -> String { "\(instant.iso8601.prefix(16))Z" }
}

extension StateBucket {
    package func write(_ watch: RenewalWatch, deadline: UnixInstant) async throws {
        _ = try await s3.putObject(bucket: name, key: watch.key, body: [], deadline: deadline)
    }

    /// What was renewed lately. One LIST for each thousand of them, however many renewals there were before.
    package func watches(at now: UnixInstant, deadline: UnixInstant) async throws -> [RenewalWatch] {
        let begin = RenewalWatch.root + RenewalWatch.minute(now.advanced(by: .zero - RenewalWatch.age))
        return try await s3.listObjects(bucket: name, prefix: RenewalWatch.root, startAfter: begin, deadline: deadline)
            .compactMap { RenewalWatch(key: $0.key) }
    }
}
