internal import Diagnostics

/// What became of one stack's renewal, in this run.
package struct RenewalOutcome: Hashable, Sendable {
    /// How it is counted, remembered and told: part of metrics and of the state bucket.
    package enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        // All is well.
        case started = "Started"
        case underWay = "UnderWay"
        case renewed = "Renewed"
        /// The stack is gone, and with it what was due.
        case stackDeleted = "StackDeleted"
        /// An operator said so, by the tag or by the window.
        case switchedOff = "SwitchedOff"
        case outsideWindow = "OutsideWindow"
        /// An earlier try failed, and the next is not due yet; or another run has the stack.
        case waiting = "Waiting"
        /// A dry run could not show what would change.
        case notPreviewed = "NotPreviewed"

        // Nothing was started; it is tried again.
        case stackBusy = "StackBusy"
        /// The load balancer would no longer trust a server that has not taken the current certificate yet.
        case serversBehind = "ServersBehind"
        case nothingToChange = "NothingToChange"
        case unfitStatus = "UnfitStatus"
        case importing = "Importing"
        case inReview = "InReview"
        case ownedByStackSet = "OwnedByStackSet"
        case noRole = "NoRole"
        case noParameter = "NoParameter"
        case foreignChanges = "ForeignChanges"
        case changeSetFailed = "ChangeSetFailed"
        /// What is known of a certificate that is due cannot be read.
        case recordUnreadable = "RecordUnreadable"
        case accessDenied = "AccessDenied"
        case throttled = "Throttled"
        case failed = "Failed"

        // The stack was updated, and servers have been through it.
        case rolledBack = "RolledBack"
        case stackPolicy = "StackPolicy"
        case notRotated = "NotRotated"

        // It was renewed, and somebody took that back.
        case reverted = "Reverted"
    }

    package let code: Code
    /// One line for whoever is on call: what is wrong, and what to do.
    package let line: String
    /// Whether it may still end by itself: nobody is told yet.
    private(set) var isTolerated = false

    package init(_ code: Code, _ line: String) {
        self.code = code
        self.line = Reason(line).description
    }

    /// Whether somebody has to be told.
    package var isFailure: Bool {
        if isTolerated { return false }
        return switch code {
        case .started, .underWay, .renewed, .stackDeleted, .switchedOff, .outsideWindow, .waiting, .notPreviewed: false
        default: true
        }
    }

    /// The same, of which nobody is told yet.
    var tolerated: RenewalOutcome {
        var copy = self
        copy.isTolerated = true
        return copy
    }

    /// An update that was rolled back is repeated once a day at most: each time servers are replaced twice.
    var touchedServers: Bool { [.rolledBack, .stackPolicy, .notRotated].contains(code) }
}
