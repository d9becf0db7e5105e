internal import Diagnostics

extension Redacted<String> {
    /// The lines of a text, each of which is as secret as the whole, and all of them in a row, as who breaks lines elsewhere
    /// repeats them; those that frame a PEM block are not among them.
    var lines: [Redacted<String>] {
        let lines = exposed.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
        return (lines.map { String($0) } + [lines.joined()]).map { Redacted($0) }
    }
}
