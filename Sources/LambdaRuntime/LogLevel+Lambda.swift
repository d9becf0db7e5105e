package import Logging

extension Logger.Level {
    /// Reads `AWS_LAMBDA_LOG_LEVEL`, in which Lambda's names and swift-log's are both accepted in any case; nil when
    /// it says nothing known.
    package init?(lambdaName: String) {
        switch lambdaName.lowercased() {
        case "trace": self = .trace
        case "debug": self = .debug
        case "info": self = .info
        case "notice": self = .notice
        case "warn", "warning": self = .warning
        case "error": self = .error
        case "fatal", "critical": self = .critical
        default: return nil
        }
    }

    /// The name by which Lambda's log-level filter knows it.
    var lambdaName: String {
        switch self {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARN"
        case .error: "ERROR"
        case .critical: "FATAL"
        }
    }
}
