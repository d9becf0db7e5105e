/// A Lambda function.
package protocol InvocationHandler: Sendable {
    /// Handles one event. `Logger.current` carries the request's id here.
    ///
    /// - Returns: the answer, as the bytes of one JSON value; at most 6 MB.
    /// - Throws: whatever makes the invocation fail. Lambda is told the error's type and its `Reason`, nothing else,
    ///   and an asynchronous invocation is delivered again.
    func handle(_ invocation: Invocation) async throws -> [UInt8]
}
