/// Makes words that came over the network fit to be shown in a stack's events.
package enum ForeignText {
    /// One line of `limit` characters at most, in which nothing looks like a key, a token or a signed URL.
    ///
    /// - Parameter hiding: texts that must not appear whatever they look like: the secrets that the call was made with. Of less than four
    ///   bytes none is hidden.
    package static func sanitized(_ text: String, hiding secrets: [String], limit: Int = 300) -> String {
        var text = text
        for secret in secrets where secret.utf8.count >= 4 {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: hidden)
        }
        var shown = ""
        for word in text.split(whereSeparator: { $0.isWhitespace || $0.isControl }) {
            let piece = cleaned(word)
            guard shown.count + piece.count + 1 <= limit else { return shown + (shown.isEmpty ? "…" : " …") }
            shown += (shown.isEmpty ? "" : " ") + piece
        }
        return shown
    }

    private static let hidden = "<hidden>"

    private static func cleaned(_ word: Substring) -> String {
        // An ARN names a thing and never carries a secret, though its parts may look like one.
        if word.contains("arn:") { return String(word.prefix(300)) }
        if let query = word.firstIndex(of: "?"), word.contains("/") {
            return cleaned(word[..<query]) + "?" + hidden
        }
        var result = ""
        var run = ""
        for character in word {
            if character.isTokenCharacter {
                run.append(character)
            } else {
                result += looksSecret(run) ? hidden : run
                result.append(character)
                run = ""
            }
        }
        return result + (looksSecret(run) ? hidden : run)
    }

    /// Access key ids by their prefixes; secrets, tokens and signatures by their length and mixture.
    private static func looksSecret(_ run: String) -> Bool {
        if run.utf8.count >= 16, ["AKIA", "ASIA", "AROA", "AIDA"].contains(String(run.prefix(4))) { return true }
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
