/// Who wants a renewal.
package enum RenewalTrigger: Hashable, Sendable {
    /// The scheduled function: it tries what is due, and pauses after failures.
    case schedule
    /// A person who wants now what the function would do. No pause counts, the rest does.
    case person
    /// A person who wants a stack's certificate to be replaced, due or not, whatever its tag says.
    case order

    var isAttended: Bool { self != .schedule }
}
