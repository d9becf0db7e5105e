/// What an error's body says.
struct ErrorAnswer: Equatable {
    let code: AWSError.Code
    /// AWS's own words, not yet fit to be shown.
    let message: String?
}

extension ErrorAnswer {
    /// Reads the error in the body of S3 (`<Error>`) and of the Query protocol and Route 53 (`<ErrorResponse><Error>`,
    /// with `<Errors>` between in old services). Nil when the body holds none.
    init?(xml body: [UInt8]) {
        // While S3 works on an answer whose status it has sent already, it may send white space, also before the declaration.
        let document = Array(body.drop(while: \.isXMLSpace))
        guard !document.isEmpty, let root = try? XMLElement(parsing: document) else { return nil }
        if let batch = ErrorAnswer(changeBatch: root) {
            self = batch
            return
        }
        let holder = root.first("Errors") ?? root
        guard let error = root.name == "Error" ? root : holder.first("Error"), let code = error["Code"],
            // It is shown and logged as it is.
            (1...80).contains(code.utf8.count),
            code.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-:".contains($0)) })
        else { return nil }
        self.init(code: AWSError.Code(rawValue: code), message: error["Message"])
    }

    /// Route 53 has a document of its own for a batch of changes that it refuses, with a message for each change.
    private init?(changeBatch root: XMLElement) {
        guard root.name == AWSError.Code.invalidChangeBatch.rawValue else { return nil }
        let messages = root.children(of: "Messages", named: "Message").map(\.text)
        self.init(code: .invalidChangeBatch, message: messages.joined(separator: " "))
    }

    /// What the status says when there is no body: an answer to HEAD, or that of something between us and AWS.
    init(status: Int) {
        let code: AWSError.Code =
            switch status {
            case 301, 307, 308: .permanentRedirect
            case 400: .badRequest
            case 401, 403: .accessDenied
            case 404: .notFound
            case 405: .methodNotAllowed
            case 409: .conditionalRequestConflict
            case 412: .preconditionFailed
            case 429: .slowDown
            case 503: .serviceUnavailable
            case 500...: .internalError
            default: AWSError.Code(rawValue: "HTTP\(status)")
            }
        self.init(code: code, message: nil)
    }
}
