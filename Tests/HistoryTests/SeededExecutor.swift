import Dispatch
import Synchronization

/// Runs the jobs of one history one after the other and picks the next by a seed: tasks interleave at every point where
/// they wait, in another way with each seed, and in the same way with the same.
///
/// When no job is left it is asked what happens next: that moves the virtual clock to the next sleeper.
final class SeededExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isDraining = false
        var generator: SeededGenerator
    }

    private let queue = DispatchQueue(label: "history")
    private let state: Mutex<State>
    private let whenIdle: @Sendable () -> Bool

    /// - Parameter whenIdle: makes jobs ready; false when there is nothing to wait for.
    init(seed: UInt64, whenIdle: @escaping @Sendable () -> Bool) {
        self.state = Mutex(State(generator: SeededGenerator(seed)))
        self.whenIdle = whenIdle
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let starts = state.withLock { state in
            state.jobs.append(job)
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if starts { queue.async { self.drain() } }
    }

    private func drain() {
        while true {
            let next: UnownedJob? = state.withLock { state in
                guard !state.jobs.isEmpty else { return nil }
                let index = Int.random(in: 0..<state.jobs.count, using: &state.generator)
                return state.jobs.remove(at: index)
            }
            if let next = next {
                unsafe next.runSynchronously(on: asUnownedTaskExecutor())
            } else if !whenIdle() {
                let isDone = state.withLock { state in
                    state.isDraining = !state.jobs.isEmpty
                    return !state.isDraining
                }
                if isDone { return }
            }
        }
    }
}
