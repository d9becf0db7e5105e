package import AWSClient
internal import Diagnostics

/// Why a server does not have the newest certificate. What it had before is still there, unless the code says otherwise.
package struct AgentError: DiagnosticError {
    package enum Code: Hashable, Sendable {
        /// What was asked for makes no sense: a mode that lets everybody read the key, a user that does not exist.
        case usage
        /// The parameter does not exist (yet).
        case pointerMissing
        /// The role may not read the parameter, the bundle or its encryption key.
        case accessDenied
        /// The bundle is not there, cannot be read, or its parts do not belong together.
        case bundleInvalid
        /// A file or directory could not be written, or is not safe to write to.
        case writeFailed
        /// The reload command failed; the files before it are back and were loaded again.
        case reloadFailed
        /// AWS could not be reached, or has no time for us.
        case unreachable
        /// Something else is wrong with the set-up: no region, no credentials.
        case notConfigured
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension AgentError {
    /// What an error of the AWS client means for a server.
    package init(_ error: AWSError) {
        let code: Code
        var advice = ""
        switch error.code {
        case .parameterNotFound:
            code = .pointerMissing
            advice = " Check --parameter and --region; at the first start, use --wait."
        case .accessDenied, AWSError.Code(rawValue: "AccessDeniedException"), AWSError.Code(rawValue: "Forbidden"):
            code = .accessDenied
            advice = " Check that this server's role may read the parameter and the bundle, and decrypt it."
        case .noCredentials, .credentialsUnavailable, .invalidConfiguration, .invalidRequest:
            code = .notConfigured
        default:
            code = error.isMissing ? .bundleInvalid : error.isRetryable ? .unreachable : .notConfigured
            if code == .unreachable { advice = " Check the network and the region's endpoint, and try again." }
        }
        self.init(code, error.message + advice, cause: error)
    }
}
