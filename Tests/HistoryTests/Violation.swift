/// A rule that a history broke.
struct Violation: Hashable, Sendable, CustomStringConvertible {
    enum Rule: String, Sendable {
        case oneAnswer = "an event gets one terminal answer, and duplicates the same one"
        case everyAttribute = "a SUCCESS has every attribute, and they describe the bundle"
        case rightID = "the answer keeps the right physical id"
        case liveKey = "no live key is deleted or changed at any moment"
        case oneBundle = "at rest there is one bundle per live resource and nothing of a deleted one"
        case identicalAfterRollback = "after a rollback everything is as before, byte for byte"
        case previousKey = "PreviousPublicKey is the key that the resource had before, or nobody's"
        case noSecret = "no log, answer or error has a secret or a property's value"
        case succeeds = "what nothing prevents succeeds"
    }

    let rule: Rule
    let detail: String

    var description: String { "\(rule.rawValue): \(detail)" }
}
