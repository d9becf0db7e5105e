internal import HTTPTransport
internal import HTTPTypes
internal import SigV4
internal import Timekeeping

/// Requests of the Query protocol: a form with the action, the API's version and the parameters.
struct QueryEncoder {
    let version: String

    /// - Parameter parameters: in any order; those without a value are left out. A list's members are named
    ///   `Name.member.1` and so on.
    func call(
        _ service: AWSService, _ action: String, _ parameters: [(key: String, value: String?)]
    ) -> AWSCall {
        var call = AWSCall(service: service, operation: action, method: .post)
        call.fields[.contentType] = "application/x-www-form-urlencoded; charset=utf-8"
        call.body = body(action: action, parameters: parameters)
        // What comes back may be keys: no error is looked for, and none is shown, in a success.
        call.answersWithData = true
        return call
    }

    /// The body of a POST, to be sent as `application/x-www-form-urlencoded`.
    func body(action: String, parameters: [(key: String, value: String?)] = []) -> [UInt8] {
        var pairs = ["Action=\(action.uriEncoded())", "Version=\(version.uriEncoded())"]
        for (name, value) in parameters {
            if let value {
                pairs.append("\(name.uriEncoded())=\(value.uriEncoded())")
            }
        }
        return Array(pairs.joined(separator: "&").utf8)
    }
}

extension AWSServiceClient {
    /// Carries out a call of the Query protocol.
    ///
    /// - Parameter read: makes something of the `…Result` element, which is empty for operations without a result.
    func send<Value>(
        _ call: AWSCall, deadline: UnixInstant, read: (XMLElement) throws(AWSError) -> Value
    ) async throws -> Value {
        let answer = try await send(call, deadline: deadline)
        do throws(AWSError) {
            let root = try XMLElement(parsing: answer.body)
            guard let result = root.first(call.operation + "Result") else {
                throw AWSError(.invalidResponse, "The answer has no \(call.operation)Result.")
            }
            return try read(result)
        } catch {
            throw error.during(call)
        }
    }
}

extension XMLElement {
    /// The members of a list: `<Name><member/>…</Name>`; none when there is no such list.
    func members(_ name: String) -> [XMLElement] {
        first(name)?.children.filter { $0.name == "member" } ?? []
    }
}
