package import AWSClient
internal import CertificateResources
internal import Synchronization
package import Timekeeping

/// A CloudFormation that says of every stack what a test wants it to say. At first all are updated in standard mode.
package final class KnownDeployments: StackDeployments {
    private struct State {
        var status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        var mode: String?
        var error: AWSError?
    }

    private let state = Mutex(State())

    package init() {}

    package func say(status: String, mode: String?) {
        state.withLock { $0 = State(status: status, mode: mode) }
    }

    package func refuse(_ error: AWSError) {
        state.withLock { $0.error = error }
    }

    package func stack(_ id: String, deadline: UnixInstant) async throws -> CloudFormation.Stack {
        try state.withLock { state in
            if let error = state.error { throw error }
            return CloudFormation.Stack(id: id, name: "shop", status: state.status, deploymentMode: state.mode)
        }
    }
}
