/// Histories that between them have every fault at every step of every kind of event.
struct SystematicHistories: Sendable {
    var resourceType = History.ResourceType.elbBackend
    /// How many steps an event of each kind has when nothing goes wrong.
    let steps: [EventKind: Int]

    /// Two histories without any fault, which go through every kind but one: a failed update needs a failure.
    static let probes: [History] = [
        History(
            schedule: 1, steps: EventKind.allCases.filter { !Scene.isAdopted($0) }.flatMap { Scene.steps(to: $0, []) }),
        History(
            schedule: 2, adopted: true,
            steps: EventKind.allCases.filter { Scene.isAdopted($0) }.flatMap { Scene.steps(to: $0, []) }),
    ]

    /// The same for `Custom::LetsEncryptCertificate`, which system A did not have.
    static let letsEncryptProbes: [History] = [
        History(schedule: 1, resourceType: .letsEncrypt, serviceTimeout: 1860, steps: probes.first?.steps ?? [])
    ]

    init(_ resourceType: History.ResourceType = .elbBackend, reached: [CoverageTable.Row]) {
        self.resourceType = resourceType
        steps = reached.filter { $0.resourceType == resourceType }
            .reduce(into: [:]) { $0[$1.kind] = max($0[$1.kind] ?? 0, $1.step) }
    }

    /// As the templates have it.
    private var serviceTimeout: Int { resourceType == .letsEncrypt ? 1860 : 600 }

    private var kinds: [EventKind] {
        EventKind.allCases.filter { resourceType == .elbBackend || !Scene.isAdopted($0) }
    }

    /// What has to happen at least once.
    var cells: [(kind: EventKind, fault: PlannedFault)] {
        kinds.flatMap { kind in
            (1...max(1, steps[kind] ?? 1)).flatMap { step in
                Fault.allCases.map { (kind, PlannedFault(step: step, fault: $0)) }
            }
        }
    }

    /// As many cells in each history as do not get in each other's way: the whole life of a resource, with a fault in
    /// nearly every event.
    var lives: [History] {
        let count = (steps.filter { !Scene.isAdopted($0.key) }.values.max() ?? 1) * Fault.allCases.count
        return (0..<count).map { index in
            History(
                schedule: UInt64(index), resourceType: resourceType, serviceTimeout: serviceTimeout,
                steps: [.create, .sameUpdate, .settingUpdate].flatMap { Scene.steps(to: $0, fault(index, in: $0)) }
                    + [
                        step(.rotation, .complete, index, [.rotation, .cleanup]),
                        step(.rotation, .rollbackUpdate, index, [nil, .rollback, .rollbackDelete]),
                    ]
                    + [.recovery, .delete].flatMap { Scene.steps(to: $0, fault(index, in: $0)) }
                    + [cancelled(index)])
        }
    }

    /// The same for what system A made.
    var adoptedLives: [History] {
        let count = (steps.filter { Scene.isAdopted($0.key) }.values.max() ?? 1) * Fault.allCases.count
        return (0..<count).map { index in
            History(
                schedule: UInt64(index), adopted: true,
                adoption: Adoption(logStream: Adoption.LogStream.allCases[index % Adoption.LogStream.allCases.count]),
                steps: Scene.steps(to: .adoptedUpdate, fault(index, in: .adoptedUpdate)) + [
                    step(.rotation, .rollbackUpdate, index, [nil, .adoptedRollback]),
                    step(.rotation, .complete, index, [.adoptedRotation, .adoptedDelete]),
                ])
        }
    }

    /// Two certificates of one object, heard of once: the one is rotated, rolled back or deleted, with a fault at each
    /// request, and then the other one.
    static let sharedAdoptions: [History] = [false, true].flatMap { stable in
        Ending.allCases.flatMap { ending in
            (0..<24).map { index in
                let fault = PlannedFault(step: index + 1, fault: Fault.allCases[index % Fault.allCases.count])
                let faulty = [Trouble(event: 0, faults: [fault]), Trouble(event: 1, faults: [fault])]
                let first =
                    ending == .noRollback
                    ? Step(action: .delete, troubles: faulty)
                    : Step(action: .update, change: .rotation, ending: ending, troubles: faulty)
                return History(
                    schedule: UInt64(index), adopted: true, adoption: Adoption(isShared: true), stableS3Key: stable,
                    steps: [0, 1].map { Step(action: .update, resource: $0, change: .nothing) }
                        + [first, Step(action: .update, resource: 1, change: .nothing)]
                        + (index % 2 == 0 ? [Step(action: .update, resource: 1, change: .rotation)] : [])
                        + [Step(action: .delete, troubles: faulty), Step(action: .delete, resource: 1)])
            }
        }
    }

    /// An object that cannot be read keeps its resource neither from another Rotation nor from its deletion, with a fault
    /// at each request that passes.
    static let unreadableAdoptions: [History] = [false, true].flatMap { stable in
        (0..<24).flatMap { index in
            let passing = Fault.allCases.filter(\.isPassing)
            let fault = PlannedFault(step: index + 1, fault: passing[index % passing.count])
            let faulty = [Trouble(event: 0, faults: [fault]), Trouble(event: 1, faults: [fault])]
            let adoption = Adoption(isUnreadable: true)
            let rotation = Step(action: .update, change: .rotation, troubles: faulty)
            return [
                [rotation, Step(action: .update, change: .rotation), Step(action: .delete)],
                [Step(action: .delete, troubles: faulty)],
            ].map {
                History(
                    schedule: UInt64(index), adopted: true, adoption: adoption, stableS3Key: stable, steps: $0)
            }
        }
    }

    /// Two processes at once on one resource: at each request of each kind of event the first stands still until a second
    /// delivery of the event, or the Delete of a cancelled Create, has run from its beginning to its end.
    var interruptions: [History] {
        kinds.flatMap { kind in
            (1...max(1, steps[kind] ?? 1)).map { step in
                history(
                    adopted: Scene.isAdopted(kind),
                    kind == .cancelledCreate
                        ? Scene.cancellation(heldAt: step) : Scene.steps(to: kind, interruptedAt: step))
            }
        }
    }

    /// A history for each cell that did not come about.
    func missing(in coverage: CoverageTable) -> [History] {
        cells.filter { kind, fault in
            coverage.count(of: fault.fault, at: row(kind, fault.step)) == 0
        }.map { kind, fault in
            history(adopted: Scene.isAdopted(kind), Scene.steps(to: kind, [fault]))
        }
    }

    /// A history for each step at which nothing went wrong yet, with one fault there.
    func untouched(in coverage: CoverageTable) -> [History] {
        kinds.flatMap { kind in
            (1...max(1, steps[kind] ?? 1)).filter { step in
                Fault.allCases.allSatisfy { coverage.count(of: $0, at: row(kind, step)) == 0 }
            }.map { step in
                let fault = PlannedFault(step: step, fault: Fault.allCases[step % Fault.allCases.count])
                return history(adopted: Scene.isAdopted(kind), Scene.steps(to: kind, [fault]))
            }
        }
    }

    private func history(adopted: Bool = false, _ steps: [Step]) -> History {
        History(
            schedule: 3, resourceType: resourceType, adopted: adopted, serviceTimeout: serviceTimeout, steps: steps)
    }

    private func row(_ kind: EventKind, _ step: Int) -> CoverageTable.Row {
        CoverageTable.Row(resourceType: resourceType, kind: kind, stable: false, step: step)
    }

    private func fault(_ index: Int, in kind: EventKind) -> [PlannedFault] {
        let count = steps[kind] ?? 1
        guard index < count * Fault.allCases.count else { return [] }
        // Faults of different kinds of events are out of step, so that they meet in all combinations.
        let shift = EventKind.allCases.firstIndex(of: kind) ?? 0
        let fault = Fault.allCases[(index / count + shift) % Fault.allCases.count]
        return [PlannedFault(step: index % count + 1, fault: fault)]
    }

    private func step(_ change: Change, _ ending: Ending, _ index: Int, _ kinds: [EventKind?]) -> Step {
        var step = Step(action: .update, change: change, ending: ending)
        for (event, kind) in kinds.enumerated() {
            guard let kind else { continue }
            let faults = fault(index, in: kind)
            if !faults.isEmpty { step.troubles.append(Trouble(event: event, faults: faults)) }
        }
        return step
    }

    private func cancelled(_ index: Int) -> Step {
        var step = step(.nothing, .complete, index, [.cancelledCreate, .cancelDelete])
        step.action = .cancel
        step.cancelled = index % 12 == 11 ? nil : Cancellation(step: index % 12)
        return step
    }
}
