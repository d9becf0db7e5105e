/// One textual encoding of RFC 7468: a label and the bytes between its BEGIN and END lines.
///
/// Reading follows the RFC's strict grammar: one block and nothing but blank lines around it, base64 lines of exactly
/// 64 characters with a shorter last one, LF or CRLF. A file with two blocks or a remark in it is refused rather than
/// read as half of what its author meant.
struct PEM: Hashable, Sendable {
    let label: String
    let bytes: [UInt8]

    init(label: String, bytes: [UInt8]) {
        self.label = label
        self.bytes = bytes
    }

    /// No key or certificate that this module handles comes near it.
    static let maximumUTF8Length = 65_536

    /// Reads the one block of `text`.
    ///
    /// - Parameter label: what must stand after BEGIN, such as `CERTIFICATE`.
    /// - Throws: `invalidPEM`; the message names the label that was wanted, never what was found.
    init(_ text: String, label: String) throws(PKIError) {
        func refusal(_ problem: String) -> PKIError {
            PKIError(.invalidPEM, "Not a PEM text with one \"\(label)\" block: \(problem).")
        }
        guard text.utf8.count <= PEM.maximumUTF8Length else { throw refusal("it is too long") }
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0
        }[...]
        while let first = lines.first, first.allSatisfy(isBlank) { lines.removeFirst() }
        while let last = lines.last, last.allSatisfy(isBlank) { lines.removeLast() }
        guard let begin = lines.popFirst(), begin.elementsEqual(PEM.beginLine(label).utf8) else {
            throw refusal("it does not start with that block's BEGIN line")
        }
        guard let end = lines.popLast(), end.elementsEqual(PEM.endLine(label).utf8) else {
            throw refusal("it does not end with that block's END line")
        }
        guard let last = lines.last, (1...PEM.columns).contains(last.count),
            lines.dropLast().allSatisfy({ $0.count == PEM.columns })
        else { throw refusal("its lines do not have \(PEM.columns) characters") }
        guard let bytes = Base64.decode(lines.joined()) else { throw refusal("its body is not base64") }
        self.init(label: label, bytes: bytes)
    }

    /// The block with 64 columns, LF and a newline at the end, as OpenSSL writes it.
    var text: String {
        var lines = [PEM.beginLine(label)]
        var rest = Base64.encode(bytes)[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(PEM.columns)))
            rest = rest.dropFirst(PEM.columns)
        }
        lines.append(PEM.endLine(label))
        return lines.joined(separator: "\n") + "\n"
    }

    private static let columns = 64
    private static func beginLine(_ label: String) -> String { "-----BEGIN \(label)-----" }
    private static func endLine(_ label: String) -> String { "-----END \(label)-----" }
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}
