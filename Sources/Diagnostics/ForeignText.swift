/// Makes words that came over the network fit to be shown in a stack's events.
package enum ForeignText {
    /// One line of `limit` characters at most, in which nothing looks like a key, a token or a signed URL.
    ///
    /// - Parameter secrets: texts that must not appear whatever they look like: those that the call was made with. Pieces of
    ///   them of eight bytes are hidden as well; of less than four bytes none is hidden.
    package static func sanitized(_ text: String, hiding secrets: [String], limit: Int = 300) -> String {
        // Much more than is shown: what is hidden is shorter afterwards.
        var text = String(text.prefix(8192))
        let fragments = secrets.reduce(into: Set()) { $0.formUnion(Self.fragments(of: $1)) }
        for secret in secrets where secret.utf8.count >= 4 {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: hidden)
        }
        var shown = ""
        for word in text.split(whereSeparator: { $0.isWhitespace || $0.isControl }) {
            let piece = cleaned(word, hiding: fragments)
            guard shown.count + piece.count + 1 <= limit else { return shown + (shown.isEmpty ? "…" : " …") }
            shown += (shown.isEmpty ? "" : " ") + piece
        }
        return shown
    }

    private static let hidden = "<hidden>"

    /// Every eight bytes in a row.
    private static func fragments(of text: String) -> Set<UInt64> {
        var fragments: Set<UInt64> = []
        var latest: UInt64 = 0
        for (index, byte) in text.utf8.enumerated() {
            latest = latest << 8 | UInt64(byte)
            if index >= 7 { fragments.insert(latest) }
        }
        return fragments
    }

    private static func cleaned(_ word: Substring, hiding fragments: Set<UInt64>) -> String {
        // An ARN names a thing and never carries a secret, though its parts may look like one.
        if word.contains("arn:") { return String(word.prefix(300)) }
        if let query = word.firstIndex(of: "?"), word.contains("/") {
            return cleaned(word[..<query], hiding: fragments) + "?" + hidden
        }
        var result = ""
        var run = ""
        for character in word {
            if character.isTokenCharacter {
                run.append(character)
            } else {
                result += looksSecret(run, fragments) ? hidden : run
                result.append(character)
                run = ""
            }
        }
        return result + (looksSecret(run, fragments) ? hidden : run)
    }

    /// Access key ids by their prefixes; secrets, tokens and signatures by their length and mixture; pieces of what the caller
    /// knows.
    private static func looksSecret(_ run: String, _ fragments: Set<UInt64>) -> Bool {
        if run.utf8.count >= 16, ["AKIA", "ASIA", "AROA", "AIDA"].contains(String(run.prefix(4))) { return true }
        if !Self.fragments(of: run).isDisjoint(with: fragments) { return true }
        guard run.utf8.count >= 32 else { return false }
        return run.contains { $0.isNumber } && run.contains { $0.isLetter }
    }
}

extension Character {
    fileprivate var isTokenCharacter: Bool {
        isASCII && (isLetter || isNumber || self == "+" || self == "/" || self == "=")
    }

    fileprivate var isControl: Bool {
        unicodeScalars.contains { [.control, .format].contains($0.properties.generalCategory) }
    }
}
