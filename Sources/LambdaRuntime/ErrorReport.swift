internal import Diagnostics

/// An error as Lambda, its log and a failure queue show it: a type and one line that is safe to show.
struct ErrorReport: Sendable {
    /// `RuntimeError.nextRefused` or `AWSError.AccessDenied` for our errors, the type's name for any other.
    let type: String
    /// The ``Reason``.
    let message: String

    init(_ error: any Error) {
        var type = ErrorReport.identifier(String(describing: Swift.type(of: error)))
        if let diagnostic = error as? any DiagnosticError {
            // A code's associated values may come from a property; its name cannot.
            let code =
                (diagnostic.code as? any RawRepresentable<String>)?.rawValue ?? String(describing: diagnostic.code)
            type += "." + ErrorReport.identifier(code)
        }
        self.type = type
        self.message = Reason(error).description
    }

    /// The body of `invocation/…/error` and of `init/error`.
    var json: [UInt8] {
        var text = JSONText()
        text.raw("{")
        text.member("errorType", type)
        text.raw(",")
        text.member("errorMessage", message)
        text.raw(",\"stackTrace\":[]}")
        return text.bytes
    }

    /// The leading run of letters, digits, underscores and dots: fit for an HTTP field.
    private static func identifier(_ text: String) -> String {
        let kept = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "_.".contains($0)) }
        return kept.isEmpty ? "Unknown" : String(kept)
    }
}
