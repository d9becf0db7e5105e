internal import SigV4

/// A request of the Query protocol: a form with the action, the API's version and the parameters.
struct QueryEncoder {
    let version: String

    /// The body of a POST, to be sent as `application/x-www-form-urlencoded`.
    ///
    /// - Parameter parameters: in any order; those without a value are left out.
    func body(action: String, parameters: KeyValuePairs<String, String?> = [:]) -> [UInt8] {
        var pairs = ["Action=\(action.uriEncoded())", "Version=\(version.uriEncoded())"]
        for (name, value) in parameters {
            if let value {
                pairs.append("\(name.uriEncoded())=\(value.uriEncoded())")
            }
        }
        return Array(pairs.joined(separator: "&").utf8)
    }
}
