/// A resource's properties as the template gives them. Prints only the names: bodies never reach a log.
///
/// CloudFormation turns every scalar into a string, SNS and tests do not: both forms are read (case 14).
package struct PropertyBag: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let members: [String: JSONValue]

    package init(_ members: [String: JSONValue]) {
        self.members = members
    }

    package var description: String { "properties(\(members.keys.sorted().joined(separator: ", ")))" }
    package var debugDescription: String { description }

    /// A string that must be there, 1 to `maximumLength` characters.
    package func string(_ name: String, maximumLength: Int) throws(CustomResourceError) -> String {
        guard let text = try optionalString(name, maximumLength: maximumLength) else {
            let problem = present(name) == nil ? "is missing: it must be a string" : "is empty: it needs a value"
            throw .invalid(name, problem)
        }
        return text
    }

    /// A string, or nil when the property is absent or empty: a template cannot leave out a parameter that is empty.
    package func optionalString(_ name: String, maximumLength: Int) throws(CustomResourceError) -> String? {
        guard let value = present(name) else { return nil }
        guard case .string(let text) = value else { throw .invalid(name, "is \(value): it must be a string") }
        guard text.utf8.count <= maximumLength * 4, text.count <= maximumLength else {
            throw .invalid(name, "is \(value): at most \(maximumLength) are allowed")
        }
        return text.isEmpty ? nil : text
    }

    /// A whole number in `range`, native or as decimal digits; nil when absent or empty.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(CustomResourceError) -> Int? {
        let rule = "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        let number: Int64?
        switch present(name) {
        case nil: return nil
        case .string(let text) where text.isEmpty: return nil
        case .integer(let value): number = value
        case .string(let text) where text.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: "-") }):
            number = Int64(text)
        case .some(let value): throw .invalid(name, "is \(value): \(rule)")
        }
        guard let number, let result = Int(exactly: number), range.contains(result) else {
            throw .invalid(name, number.map { "is \($0): \(rule)" } ?? "is out of range: \(rule)")
        }
        return result
    }

    /// `true` or `false` in any case, native or as a string; nil when absent or empty.
    package func boolean(_ name: String) throws(CustomResourceError) -> Bool? {
        switch present(name) {
        case nil: return nil
        case .boolean(let flag): return flag
        case .string(let text) where text.isEmpty: return nil
        case .string(let text) where text.lowercased() == "true": return true
        case .string(let text) where text.lowercased() == "false": return false
        case .some(let value): throw .invalid(name, "is \(value): it must be true or false")
        }
    }

    /// A list of strings, or one string with commas between the items; empty items are dropped.
    package func list(_ name: String, maximumCount: Int) throws(CustomResourceError) -> [String] {
        var items: [String] = []
        switch present(name) {
        case nil: return []
        case .string(let text):
            items = text.split(separator: ",").map { item in
                let trimmed = item.drop { $0 == " " }
                return String(
                    trimmed.prefix(
                        upTo: trimmed.lastIndex { $0 != " " }.map { trimmed.index(after: $0) }
                            ?? trimmed.startIndex))
            }
        case .array(let values):
            for value in values {
                guard case .string(let text) = value else {
                    throw .invalid(name, "has an item that is \(value): every item must be a string")
                }
                items.append(text)
            }
        case .some(let value):
            throw .invalid(name, "is \(value): it must be a list of strings, or one string with commas")
        }
        items.removeAll { $0.isEmpty }
        guard items.count <= maximumCount else {
            throw .invalid(name, "has \(items.count) items: at most \(maximumCount) are allowed")
        }
        return items
    }

    /// The names that are neither in `known` nor in the event's own fields, in alphabetical order (case 13).
    package func names(besides known: Set<String>) -> [String] {
        members.keys.filter { !known.contains($0) && $0 != "ServiceToken" && $0 != "ServiceTimeout" }.sorted()
    }

    private func present(_ name: String) -> JSONValue? {
        members[name].flatMap { $0 == .null ? nil : $0 }
    }
}

extension CustomResourceError {
    /// - Parameter problem: what came and what is allowed, to follow the property's name.
    package static func invalid(_ name: String, _ problem: String) -> CustomResourceError {
        CustomResourceError(.invalidProperty(name), "Property \(name) \(problem)\(problem.hasSuffix(".") ? "" : ".")")
    }
}
