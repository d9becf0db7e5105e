internal import Diagnostics
internal import FoundationEssentials
internal import HTTPTransport
internal import HTTPTypes
internal import SigV4
internal import Timekeeping

extension AWSCall {
    /// A call of the protocol AWS JSON 1.1.
    ///
    /// - Parameters:
    ///   - target: the service's name in the field `x-amz-target`.
    ///   - secrets: see ``AWSCall/secrets``.
    init(
        json service: AWSService, target: String, operation: String, _ members: some Encodable,
        secrets: [Redacted<String>] = []
    ) throws(AWSError) {
        self.init(service: service, operation: operation, method: .post)
        fields[.contentType] = "application/x-amz-json-1.1"
        fields[named: "x-amz-target"] = "\(target).\(operation)"
        answersWithData = true
        self.secrets = secrets
        do {
            body = Array(try JSONEncoder().encode(members))
        } catch {
            throw AWSError(.invalidRequest, "The request is no JSON.", cause: error).during(self)
        }
    }
}

extension AWSServiceClient {
    /// Carries out a call of the protocol AWS JSON 1.1.
    func send<Value: Decodable>(_ call: AWSCall, deadline: UnixInstant) async throws -> Value {
        let answer = try await send(call, deadline: deadline)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(answer.body))
        } catch {
            throw AWSError(.invalidResponse, "The answer has not the members that it should have.", cause: error)
                .during(call)
        }
    }
}
