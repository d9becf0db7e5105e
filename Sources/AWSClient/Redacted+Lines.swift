internal import Diagnostics

extension Redacted<String> {
    /// The lines of a text, each of which is as secret as the whole; those that frame a PEM block are none.
    var lines: [Redacted<String>] {
        exposed.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }.map { Redacted(String($0)) }
    }
}
