package import AWSClient

/// How far a stack's update has come since it was last looked at.
package struct StackProgress: Hashable, Sendable {
    /// `shop`
    package let stack: String
    /// Such as `UPDATE_IN_PROGRESS`; or what is waited for before the update begins.
    package let status: String
    /// The new ones, the earliest first.
    package let events: [CloudFormation.StackEvent]

    package init(stack: String, status: String, events: [CloudFormation.StackEvent] = []) {
        self.stack = stack
        self.status = status
        self.events = events
    }
}
