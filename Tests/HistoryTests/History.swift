/// What happens to one stack: a value that can be written down as JSON and played again, step by step the same.
struct History: Codable, Hashable, Sendable {
    /// Which resource type the stack's certificates are of.
    enum ResourceType: String, Codable, Sendable {
        case elbBackend = "Custom::ElbBackendCertificate"
        case letsEncrypt = "Custom::LetsEncryptCertificate"
    }

    enum Versioning: String, Codable, Sendable, CaseIterable {
        case enabled, suspended, never
    }

    /// Decides which of several tasks goes on next.
    var schedule: UInt64
    var resourceType = ResourceType.elbBackend
    /// The stack was made by system A's function.
    var adopted = false
    /// What is special about that.
    var adoption = Adoption()
    /// The provider's default for `StableS3Key`.
    var stableS3Key = false
    /// Whether the certificate buckets keep versions.
    var versioning = Versioning.enabled
    /// How long CloudFormation waits for an answer, in seconds.
    var serviceTimeout = 600
    var steps: [Step]

    /// Whether the provider has to refuse a rotation: the stable copy could not be restored by a rollback.
    var refusesRotations: Bool { stableS3Key && versioning != .enabled }
}

/// What system A's function left, other than one certificate that can be read.
struct Adoption: Codable, Hashable, Sendable {
    /// The physical id is the name of the log stream, in one of the forms that CloudWatch Logs gives a function's.
    enum LogStream: String, Codable, Sendable, CaseIterable {
        case ofLatest = "2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef"
        case ofVersion = "2026/11/20/[17]0123456789abcdef0123456789abcdef"
        case withFunction = "2026/11/20/shop_certificates-1[$LATEST]0123456789abcdef0123456789abcdef"
        case withBrackets = "2026/11/20/shop[17][0123456789abcdef0123456789abcdef]"
    }

    var logStream = LogStream.ofLatest
    /// Both of the stack's certificates have one AppName, and so one object. Stacks with one AppName have it as well.
    var isShared = false
    /// The object holds no certificate that can be read.
    var isUnreadable = false
}

/// One operation on the stack, with what goes wrong in it.
struct Step: Codable, Hashable, Sendable {
    enum Action: String, Codable, Sendable {
        /// Adds the resource, unless it is there.
        case create
        /// Adds the resource, and CloudFormation cancels that.
        case cancel
        /// Changes the resource; adds it first if it is not there.
        case update
        /// Removes the resource from the template, or deletes the stack.
        case delete
        /// Lambda delivers an event once more that it delivered before.
        case replay
    }

    var action: Action
    /// 0 or 1: which of the stack's certificates.
    var resource = 0
    /// What an update changes.
    var change: Change?
    /// How a create or an update ends that the provider carried out.
    var ending: Ending?
    /// When a create is cancelled.
    var cancelled: Cancellation?
    /// Which event is replayed: counted back from the latest.
    var back: Int?
    /// The replay runs at the same time as the next event.
    var overlaps: Bool?
    /// Seconds between the step before and this one, and between the events of this one.
    var gap = 1
    var troubles: [Trouble] = []
}

/// What an update changes in the template.
enum Change: String, Codable, Sendable, CaseIterable {
    case nothing
    /// A property that defines nothing.
    case setting
    case rotation
    /// A rotation that does not trust the key before it.
    case distrust
    /// Back to the properties before the last rotation.
    case back
    case domain
    case appName

    /// Whether another generation is asked for.
    var isRotation: Bool { self != .nothing && self != .setting }
}

/// What becomes of a stack operation after the provider's answer.
enum Ending: String, Codable, Sendable, CaseIterable {
    case complete
    /// Something else in the stack fails; CloudFormation sends the properties back, then deletes what is new.
    case rollbackUpdate
    /// Something else in the stack fails; CloudFormation only deletes what is new.
    case rollbackDelete
    /// The update fails, and CloudFormation is told to leave it so (`--disable-rollback`).
    case noRollback
}

/// When CloudFormation's Delete, with an id of its own invention, is delivered.
struct Cancellation: Codable, Hashable, Sendable {
    /// 0: before the Create is; n: when the Create is at its nth I/O step; nil: after the Create.
    var step: Int?
    /// The Create stands still at that step until the Delete has ended.
    var isHeld = false
}

/// What goes wrong with one event of a step.
struct Trouble: Codable, Hashable, Sendable {
    /// The event, counted from 0 within its step.
    var event: Int
    var faults: [PlannedFault] = []
    var duplicate: Duplicate?
    /// A second process gets the event when the first is about to send this request (from 1). It runs until its end
    /// before the first goes on.
    var interrupted: Int?
    /// What Lambda gives the first delivery, in milliseconds.
    var timeout: Int?
}

enum Duplicate: String, Codable, Sendable {
    /// Lambda delivers the event twice at once.
    case concurrent
    /// Lambda delivers it again before the next event.
    case afterwards
}

/// A fault at an I/O step, by the step's ordinal within one delivery of an event.
struct PlannedFault: Codable, Hashable, Sendable {
    /// 0 is the first delivery, 1 Lambda's first retry. A concurrent duplicate counts as 1 as well.
    var delivery = 0
    /// From 1.
    var step: Int
    var fault: Fault
    /// How many steps it lasts.
    var lasts = 1

    func hits(_ step: Int, of delivery: Int) -> Bool {
        delivery == self.delivery && step >= self.step && step < self.step + lasts
    }
}

/// What can go wrong in one I/O step.
enum Fault: String, Codable, Sendable, CaseIterable {
    case status403, status409, status412, status500, status503
    case reset, hang
    case answerLost, hangAfterCommit
    case killBefore, killAfter
    /// The work's time is over when the step begins.
    case deadline

    /// Whether the provider or Lambda's own retry has to overcome it when it comes once.
    var isPassing: Bool {
        switch self {
        case .status403, .status412, .deadline: false
        default: true
        }
    }
}
