package import Timekeeping

/// AWS Systems Manager: the parameter store.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says.
package struct SSM: Sendable {
    private let client: AWSServiceClient

    package init(_ client: AWSServiceClient) {
        self.client = client
    }

    /// The value of a parameter of type `String`, and which version of it that is.
    ///
    /// - Parameter name: as it was made, or its ARN when it is another account's.
    /// - Throws: ``AWSError/Code/parameterNotFound`` when there is none.
    package func getParameter(_ name: String, deadline: UnixInstant) async throws -> (value: String, version: Int) {
        let answer: Answer = try await send("GetParameter", ["Name": name], deadline: deadline)
        return (answer.Parameter.Value, answer.Parameter.Version ?? 0)
    }

    /// Gives a parameter another value.
    ///
    /// - Parameter type: of a parameter that may have to be made, such as `String`; nil leaves its type as it is.
    /// - Returns: the new version.
    @discardableResult
    package func putParameter(
        _ name: String, value: String, type: String? = nil, deadline: UnixInstant
    ) async throws -> Int {
        let answer: Version = try await send(
            "PutParameter", Change(Name: name, Value: value, Type: type), deadline: deadline)
        return answer.Version ?? 0
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Change: Encodable {
        let Name: String
        let Value: String
        let `Type`: String?
        let Overwrite = true
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Version: Decodable {
        let Version: Int?
    }

    // Named as they are read, so that the list is the format.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Answer: Decodable {
        struct Parameter: Decodable {
            let Value: String
            let Version: Int?
        }
        let Parameter: Parameter
    }

    private func send<Value: Decodable>(
        _ action: String, _ members: some Encodable, deadline: UnixInstant
    ) async throws -> Value {
        try await client.send(
            AWSCall(json: .ssm, target: "AmazonSSM", operation: action, members), deadline: deadline)
    }
}

extension AWSError.Code {
    package static let parameterNotFound = Self(rawValue: "ParameterNotFound")
}
