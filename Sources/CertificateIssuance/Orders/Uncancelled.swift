/// Runs `work` to its end and returns how it ended, also when the current task is cancelled meanwhile: what was begun
/// outside this process has to be cleaned up.
///
/// The work runs where the current task runs, so that a test's executor sees it.
func uncancelled<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
) async -> Result<Value, any Error> {
    let executor = unsafe withUnsafeCurrentTask { task in unsafe task?.unownedTaskExecutor?.asTaskExecutor() }
    return await Task(executorPreference: executor) { try await work() }.result
}
