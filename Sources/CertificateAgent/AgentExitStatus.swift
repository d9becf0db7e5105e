/// What the process ends with. Public API: units and scripts decide by it. The numbers are those of `sysexits.h`.
package enum AgentExitStatus: Int32, CaseIterable, Sendable {
    case done = 0
    case usage = 64
    case bundleInvalid = 65
    case pointerMissing = 66
    case unreachable = 69
    case internalError = 70
    case writeFailed = 73
    case reloadFailed = 75
    case notIssued = 76
    case accessDenied = 77
    case notConfigured = 78

    package init(_ error: any Error) {
        self =
            switch (error as? AgentError)?.code {
            case .usage: .usage
            case .bundleInvalid: .bundleInvalid
            case .pointerMissing: .pointerMissing
            case .unreachable: .unreachable
            case .writeFailed: .writeFailed
            case .reloadFailed: .reloadFailed
            case .accessDenied: .accessDenied
            case .notConfigured: .notConfigured
            case nil: .internalError
            }
    }

    /// For `--help`.
    package var meaning: String {
        switch self {
        case .done: "the files are there: unchanged, or written and reloaded"
        case .usage: "the options make no sense, or name something that cannot be used"
        case .bundleInvalid: "the bundle is missing or invalid; the old files are kept"
        case .pointerMissing: "the parameter does not exist"
        case .unreachable: "AWS could not be reached, or not in time"
        case .internalError: "something else went wrong"
        case .writeFailed: "the files could not be written"
        case .reloadFailed: "the reload command failed; the old files are back"
        case .notIssued: "the certificate authority gave no certificate; the old files are kept"
        case .accessDenied: "this server's role may not read the parameter or the bundle"
        case .notConfigured: "no region, no credentials, or AWS refused the request"
        }
    }
}
