/// The shortest way to an event of each kind.
enum Scene {
    /// Steps that lead to an event of `kind`, whatever the stack is like, with `faults` in its first delivery.
    static func steps(to kind: EventKind, _ faults: [PlannedFault]) -> [Step] {
        switch kind {
        case .create: [Step(action: .delete), with(faults, 0, Step(action: .create))]
        case .cancelledCreate: [Step(action: .delete), with(faults, 0, Step(action: .cancel))]
        case .cancelDelete: [Step(action: .delete), with(faults, 1, Step(action: .cancel))]
        case .sameUpdate, .adoptedUpdate: [with(faults, 0, update(.nothing))]
        case .settingUpdate: [with(faults, 0, update(.setting))]
        case .rotation: [with(faults, 0, update(.rotation))]
        case .cleanup: [with(faults, 1, update(.rotation))]
        case .rollback: [with(faults, 1, update(.rotation, .rollbackUpdate))]
        case .rollbackDelete: [with(faults, 1, update(.rotation, .rollbackDelete))]
        case .recovery:
            [with(faults, 1, with([PlannedFault(step: 1, fault: .status403)], 0, update(.rotation)))]
        case .delete: [update(.nothing), with(faults, 0, Step(action: .delete))]
        case .adoptedRotation: [with(faults, 0, update(.rotation, .rollbackUpdate))]
        case .adoptedRollback: [with(faults, 1, update(.rotation, .rollbackUpdate))]
        case .adoptedDelete: [with(faults, 1, update(.rotation))]
        }
    }

    /// Steps that lead to an event of `kind`, which a second process gets as well when the first is at request `step`.
    static func steps(to kind: EventKind, interruptedAt step: Int) -> [Step] {
        // Where the event is, a fault shows.
        let marked = steps(to: kind, [PlannedFault(step: 1, fault: .reset)])
        return marked.map { one in
            var one = one
            one.troubles = one.troubles.map { trouble in
                trouble.faults == [PlannedFault(step: 1, fault: .reset)]
                    ? Trouble(event: trouble.event, interrupted: step) : trouble
            }
            return one
        }
    }

    /// A Create that stands still at request `step` until the Delete of its cancellation has ended.
    static func cancellation(heldAt step: Int) -> [Step] {
        var cancel = Step(action: .cancel)
        cancel.cancelled = Cancellation(step: step, isHeld: true)
        return [Step(action: .delete), cancel, update(.nothing)]
    }

    static func isAdopted(_ kind: EventKind) -> Bool {
        switch kind {
        case .adoptedUpdate, .adoptedRotation, .adoptedRollback, .adoptedDelete: true
        default: false
        }
    }

    private static func update(_ change: Change, _ ending: Ending = .complete) -> Step {
        Step(action: .update, change: change, ending: ending)
    }

    private static func with(_ faults: [PlannedFault], _ event: Int, _ step: Step) -> Step {
        var step = step
        if !faults.isEmpty { step.troubles.append(Trouble(event: event, faults: faults)) }
        return step
    }
}
