/// Makes a history that breaks a rule as small as it can: greedily, one part after the other.
struct Shrinker {
    let isBroken: @Sendable (History) async -> Bool
    private static let budget = 400

    init(isBroken: @escaping @Sendable (History) async -> Bool) {
        self.isBroken = isBroken
    }

    func shrink(_ history: History) async -> History {
        var smallest = history
        var tried = 0
        var progress = true
        while progress, tried < Self.budget {
            progress = false
            for candidate in Self.smaller(smallest) where tried < Self.budget {
                tried += 1
                if await isBroken(candidate) {
                    smallest = candidate
                    progress = true
                    break
                }
            }
        }
        return smallest
    }

    /// The largest cuts first.
    private static func smaller(_ history: History) -> [History] {
        var all: [History] = []
        func add(_ change: (inout History) -> Void) {
            var candidate = history
            change(&candidate)
            if candidate != history { all.append(candidate) }
        }
        for index in history.steps.indices { add { $0.steps.remove(at: index) } }
        add { $0.adopted = false }
        add { $0.stableS3Key = false }
        add { $0.serviceTimeout = 600 }
        for (index, step) in history.steps.enumerated() {
            add { $0.steps[index].resource = 0 }
            for trouble in step.troubles.indices {
                add { $0.steps[index].troubles.remove(at: trouble) }
                add { $0.steps[index].troubles[trouble].duplicate = nil }
                add { $0.steps[index].troubles[trouble].timeout = nil }
                for fault in step.troubles[trouble].faults.indices {
                    add { $0.steps[index].troubles[trouble].faults.remove(at: fault) }
                    add { $0.steps[index].troubles[trouble].faults[fault].lasts = 1 }
                }
            }
            add { $0.steps[index].ending = nil }
            add { $0.steps[index].overlaps = nil }
            add { $0.steps[index].gap = 1 }
        }
        return all
    }
}
