package import AWSClient
package import CertificateIssuance
internal import Diagnostics
internal import Logging
package import Timekeeping

/// What a renewal works with.
package struct RenewalEnvironment: Sendable {
    /// The provider's own account's.
    package let cloudFormation: CloudFormation
    /// Nil: stacks are in the provider's own account only.
    package let otherAccounts: OtherAccounts?
    /// For rotation parameters whose values are in Parameter Store.
    package let ssm: SSM
    package let state: StateBucket
    package let clock: any WallClock
    /// Nil: at any time.
    package let window: RenewalWindow?
    /// How many stacks are worked on at the same time.
    package let stacksInFlight: Int
    /// How long a run keeps a stack to itself: longer than any invocation lasts.
    package let lease: Duration
    package let trigger: RenewalTrigger
    /// Nil: what is due by its lifetime is renewed, whatever its authority says.
    package let adviser: (any RenewalAdviser)?
    /// Picks a time within an authority's window, in milliseconds from its beginning.
    let jitter: @Sendable (ClosedRange<Int64>) -> Int64

    package init(
        cloudFormation: CloudFormation, otherAccounts: OtherAccounts? = nil, ssm: SSM, state: StateBucket,
        clock: any WallClock, window: RenewalWindow? = nil, stacksInFlight: Int = 4, lease: Duration = .seconds(1000),
        trigger: RenewalTrigger = .schedule, adviser: (any RenewalAdviser)? = nil,
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) {
        self.cloudFormation = cloudFormation
        self.otherAccounts = otherAccounts
        self.ssm = ssm
        self.state = state
        self.clock = clock
        self.window = window
        self.stacksInFlight = max(1, stacksInFlight)
        self.lease = lease
        self.trigger = trigger
        self.adviser = adviser
        self.jitter = jitter
    }

    /// Whether the stack is of another account.
    func isElsewhere(_ stackID: String) -> Bool { otherAccounts?.cloudFormation(of: stackID) != nil }

    /// CloudFormation as the stack's account has to be asked.
    func cloudFormation(of stackID: String) -> CloudFormation {
        otherAccounts?.cloudFormation(of: stackID) ?? cloudFormation
    }
}

extension StateBucket {
    /// Nil also for a document that cannot be read: that is logged, and stops nothing.
    func readable<Document: Decodable>(
        _ type: Document.Type, at key: String, deadline: UnixInstant
    ) async throws -> Document? {
        do {
            return try await document(type, at: key, deadline: deadline)?.document
        } catch let error as IssuanceError {
            Logger.current.error("a document cannot be read", metadata: ["error.message": "\(text(of: error))"])
            return nil
        }
    }
}

func text(of error: any Error) -> String { Reason(error).description }
