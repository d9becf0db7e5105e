internal import HTTPTransport
internal import HTTPTypes
package import Timekeeping

/// One event and what the Runtime API said about it.
package struct Invocation: Sendable {
    /// Names the invocation in the log and in the path of its answer.
    package let requestID: String
    /// The event, up to 6 MB; said to be JSON, not checked.
    package let payload: [UInt8]
    /// When Lambda ends the process, whatever it is doing.
    package let deadline: UnixInstant
    /// Empty when the Runtime API does not name it.
    package let invokedFunctionARN: String
    /// The `X-Amzn-Trace-Id` of this invocation.
    package let traceID: String?

    package init(
        requestID: String, payload: [UInt8], deadline: UnixInstant, invokedFunctionARN: String = "",
        traceID: String? = nil
    ) {
        self.requestID = requestID
        self.payload = payload
        self.deadline = deadline
        self.invokedFunctionARN = invokedFunctionARN
        self.traceID = traceID
    }
}

extension Invocation {
    /// How long an event may take whose deadline is missing or no number. Lambda always sends one, emulators may not;
    /// without any bound a handler that waits for its deadline would wait forever.
    static let timeWithoutDeadline: Duration = .seconds(60)

    /// Reads the answer to `next`.
    ///
    /// - Throws: ``RuntimeError/Code/malformedInvocation`` without a request id that can stand in a path: such an
    ///   invocation cannot be answered.
    init(_ exchange: HTTPExchange, receivedAt now: UnixInstant) throws(RuntimeError) {
        let fields = exchange.response.headerFields
        guard let requestID = fields.value(of: "Lambda-Runtime-Aws-Request-Id"), Invocation.isRequestID(requestID)
        else {
            throw RuntimeError(
                .malformedInvocation, "The Runtime API delivered an event without a usable request id.")
        }
        let deadline = fields.value(of: "Lambda-Runtime-Deadline-Ms").flatMap { Int64($0) }
        self.init(
            requestID: requestID,
            payload: exchange.body,
            deadline: deadline.map { UnixInstant(milliseconds: $0) }
                ?? now.advanced(by: Invocation.timeWithoutDeadline),
            invokedFunctionARN: fields.value(of: "Lambda-Runtime-Invoked-Function-Arn") ?? "",
            traceID: fields.value(of: "Lambda-Runtime-Trace-Id"))
    }

    /// RFC 3986's unreserved characters: the id becomes a path segment.
    private static func isRequestID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default:
                    false
                }
            }
    }
}

extension HTTPFields {
    /// The field's value; nil when it is missing or empty.
    fileprivate func value(of name: String) -> String? {
        guard let name = HTTPField.Name(name), let value = self[name], !value.isEmpty else { return nil }
        return value
    }
}
