/// Makes histories: the same seed, the same history.
enum HistoryGenerator {
    /// Some steps of which nobody knows where they lead.
    static func random(_ seed: UInt64, _ type: History.ResourceType = .elbBackend) -> History {
        var generator = SeededGenerator(seed)
        var history = History(schedule: generator.next(), resourceType: type, steps: [])
        history.adopted = generator.once(in: 5) && type == .elbBackend
        history.stableS3Key = generator.once(in: 5) && type == .elbBackend
        history.serviceTimeout = generator.once(in: 6) ? 100 : type == .letsEncrypt ? 1860 : 600
        if generator.once(in: 4) { history.versioning = generator.pick([.suspended, .never], else: .never) }
        let resources = generator.once(in: 5) ? 2 : 1
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            history.steps.append(step(resources: resources, &generator))
        }
        return history
    }

    private static func step(resources: Int, _ generator: inout SeededGenerator) -> Step {
        let action = generator.pick(
            [
                .create, .create, .cancel, .update, .update, .update, .update, .update, .delete, .delete, .replay,
                .replay,
            ],
            else: Step.Action.update)
        var step = Step(action: action)
        step.resource = Int.random(in: 0..<resources, using: &generator)
        step.gap = generator.pick([1, 1, 1, 2, 30, 61, 130, 400], else: 1)
        switch action {
        case .create:
            if generator.once(in: 4) { step.ending = .rollbackDelete }
        case .cancel:
            let when = Int.random(in: -1...14, using: &generator)
            step.cancelled = Cancellation(step: when < 0 ? nil : when)
        case .update:
            step.change = generator.pick(
                [.rotation, .rotation, .rotation, .nothing, .setting, .distrust, .back, .back, .domain, .appName],
                else: .rotation)
            step.ending = generator.pick(
                [.complete, .complete, .rollbackUpdate, .rollbackUpdate, .rollbackDelete, .noRollback], else: .complete)
        case .delete: break
        case .replay:
            step.back = Int.random(in: 0..<6, using: &generator)
            step.overlaps = generator.once(in: 3)
            return step
        }
        for event in 0..<4 where generator.once(in: 3) {
            step.troubles.append(trouble(event, &generator))
        }
        return step
    }

    private static func trouble(_ event: Int, _ generator: inout SeededGenerator) -> Trouble {
        var trouble = Trouble(event: event)
        for delivery in 0..<3 where generator.once(in: delivery == 0 ? 1 : 3) {
            var fault = PlannedFault(
                delivery: delivery, step: Int.random(in: 1...16, using: &generator),
                fault: generator.pick(Fault.allCases, else: .reset))
            // An outage, from which nothing comes back within the delivery.
            if generator.once(in: 5) { fault.lasts = generator.pick([3, 100], else: 100) }
            trouble.faults.append(fault)
        }
        if generator.once(in: 4) { trouble.duplicate = generator.once(in: 2) ? .concurrent : .afterwards }
        if generator.once(in: 12) { trouble.timeout = generator.pick([1, 30, 1000, 11_000], else: 30) }
        return trouble
    }
}
