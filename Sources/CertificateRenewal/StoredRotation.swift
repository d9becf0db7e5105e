internal import AWSClient
internal import Timekeeping

/// Rotation parameters of the type `AWS::SSM::Parameter::Value<String>`: the stack knows a name, and Parameter Store the
/// value. A pipeline that deploys such a stack cannot set the value back.
///
/// CloudFormation looks the value up whenever the stack is updated, by anybody. So a value that was set for an update that
/// did not come about is taken back.
struct StoredRotation: Sendable {
    /// Where provider.yml lets renewal write.
    static let path = "/stackcert/rotation/"

    let stack: DueStack
    let ssm: SSM
    let deadline: UnixInstant
    private let stackName: String
    /// The stack's parameter and, in Parameter Store, its name and the value with which the stack was last updated.
    private let parameters: [(key: String, name: String, inUse: String)]

    /// - Parameter root: the stack that is to be updated.
    init(stack: DueStack, root: CloudFormation.Stack, ssm: SSM, deadline: UnixInstant) {
        self.stack = stack
        self.ssm = ssm
        self.deadline = deadline
        stackName = root.name
        parameters = root.parameters.compactMap { parameter in
            guard stack.rotations[parameter.key] != nil, let inUse = parameter.resolvedValue else { return nil }
            return (parameter.key, parameter.value, inUse)
        }
    }

    /// The names in Parameter Store, by the stack's parameters.
    var names: [String: String] { Dictionary(parameters.map { ($0.key, $0.name) }) { first, _ in first } }

    /// Writes the new values. A value that somebody else has set and not deployed yet stays: it rotates as well.
    ///
    /// - Returns: why that cannot be done; nil when it is.
    func set() async throws -> RenewalOutcome? {
        for parameter in parameters {
            guard let value = stack.rotations[parameter.key] else { continue }
            guard parameter.name.hasPrefix(Self.path), !parameter.name.contains(":") else {
                await takeBack()
                return RenewalOutcome(
                    .noParameter,
                    "\(parameter.key) of stack \(stackName) names \(parameter.name) in Parameter Store, which renewal may "
                        + "not change: name one below \(Self.path), without a version.")
            }
            do {
                guard try await ssm.getParameter(parameter.name, deadline: deadline).value == parameter.inUse else {
                    continue
                }
                try await ssm.putParameter(parameter.name, value: value, deadline: deadline)
            } catch let error as AWSError {
                await takeBack()
                return RenewalOutcome(failure: error)
            }
        }
        return nil
    }

    /// Undoes `set`, for values that are still ours. What cannot be undone now is done by the next try, which finds the
    /// value of its own in the store.
    func takeBack() async {
        for parameter in parameters where parameter.name.hasPrefix(Self.path) {
            guard let value = stack.rotations[parameter.key], value != parameter.inUse,
                (try? await ssm.getParameter(parameter.name, deadline: deadline).value) == value
            else { continue }
            _ = try? await ssm.putParameter(parameter.name, value: parameter.inUse, deadline: deadline)
        }
    }
}
