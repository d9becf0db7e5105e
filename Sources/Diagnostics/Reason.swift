/// The one line that a person reads in a stack's event when something failed.
package struct Reason: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// Only our own errors speak. Of any other error just the type is named: a `DecodingError` quotes the value that
    /// it could not decode, and that value may be a secret.
    package init(_ error: any Error) {
        if let diagnostic = error as? any DiagnosticError {
            self.init(diagnostic.message)
        } else if error is CancellationError {
            self.init("The work was cancelled.")
        } else {
            self.init("Internal error (\(type(of: error))). The function's log has more under this request's id.")
        }
    }

    /// Control characters and separators of lines become spaces: an event's reason is one line.
    package init(_ text: String) {
        self.description = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator: " "
                    default: scalar
                    }
                }))
    }

    /// The longest prefix that fits into `limit` UTF-8 bytes and ends on a character boundary.
    package func truncated(toUTF8Bytes limit: Int) -> String {
        guard description.utf8.count > limit else { return description }
        let ellipsis = "…"
        var kept = ""
        var size = ellipsis.utf8.count
        guard size <= limit else { return "" }
        for character in description {
            size += character.utf8.count
            if size > limit { break }
            kept.append(character)
        }
        return kept + ellipsis
    }
}
