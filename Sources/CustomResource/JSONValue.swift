/// Any JSON value, for the parts of an event whose types the template's author chose.
///
/// Prints only its type: property bodies never reach a log.
package enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension JSONValue: CustomStringConvertible, CustomDebugStringConvertible {
    /// The type and the size, as a message may show them.
    package var description: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .number: "a number"
        case .string(let text): "a string of \(text.count) character\(text.count == 1 ? "" : "s")"
        case .array(let items): "a list of \(items.count) item\(items.count == 1 ? "" : "s")"
        case .object(let members): "an object of \(members.count) member\(members.count == 1 ? "" : "s")"
        }
    }

    package var debugDescription: String { description }
}
