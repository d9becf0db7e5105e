/// A value that may not be printed: interpolation, `print`, `dump` and reflection show `<redacted>`.
package struct Redacted<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The value itself. Reading it is the one step that a review has to look for.
    package let exposed: Value

    package init(_ value: Value) {
        self.exposed = value
    }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: [Mirror.Child]()) }
}

extension Redacted: Equatable where Value: Equatable {}
extension Redacted: Hashable where Value: Hashable {}
