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

extension JSONValue: Decodable {
    /// CloudFormation nests properties a few levels deep. The limit keeps a hostile event from exhausting the stack.
    static let maximumDepth = 64

    package init(from decoder: any Decoder) throws {
        guard decoder.codingPath.count <= Self.maximumDepth else {
            throw CustomResourceError(
                .malformedEvent, "The event is nested more than \(Self.maximumDepth) levels deep.")
        }
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .boolean(flag)
        } else if let whole = try? container.decode(Int64.self) {
            self = .integer(whole)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let keyed = try? decoder.container(keyedBy: AnyKey.self) {
            var members: [String: JSONValue] = [:]
            for key in keyed.allKeys { members[key.stringValue] = try keyed.decode(JSONValue.self, forKey: key) }
            self = .object(members)
        } else {
            var items = try decoder.unkeyedContainer()
            var values: [JSONValue] = []
            while !items.isAtEnd { values.append(try items.decode(JSONValue.self)) }
            self = .array(values)
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
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
