import TestSupport

extension ScriptedAnswer {
    /// An event, as `next` delivers it.
    static func event(
        _ requestID: String = "request-1", _ payload: String = "{}", with more: [String: String] = [:]
    ) -> ScriptedAnswer {
        .answer(200, .event(requestID, with: more), body: Array(payload.utf8))
    }
}

extension [String: String] {
    static func event(_ requestID: String = "request-1", with more: [String: String] = [:]) -> [String: String] {
        [
            "Lambda-Runtime-Aws-Request-Id": requestID,
            "Lambda-Runtime-Deadline-Ms": "1800000300000",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:111122223333:function:certificates",
            "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
        ].merging(more) { $1 }.filter { !$1.isEmpty }
    }
}

/// The Runtime API; after the script's end every request is answered with 500, which ends a loop.
func withMockRuntimeAPI(
    _ script: [ScriptedAnswer], _ body: (_ port: Int) async throws -> Void
) async throws -> [ReceivedRequest] {
    try await withScriptedServer(script, body)
}
