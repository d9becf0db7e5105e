/// A fully qualified domain name as certificates and DNS carry it: lower-case A-labels, without a trailing dot.
package struct DomainName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// Reads a name in any case, with Unicode labels (`münchen.example`) or A-labels, with or without a trailing dot.
    ///
    /// - Throws: `invalidDomainName` for wildcards, IP addresses, numeric top-level domains, lengths beyond RFC 1035's
    ///   63 and 253, characters that IDNA (RFC 5892) does not allow, and Unicode labels whose validity hangs on their
    ///   neighbours or direction.
    package init(_ text: String) throws(PKIError) {
        try self.init(text, allowsWildcard: false)
    }

    /// As `init(_:)`, and also with `*` as the whole of the leftmost label (RFC 6125, 6.4.3).
    package init(wildcardAllowed text: String) throws(PKIError) {
        try self.init(text, allowsWildcard: true)
    }

    private init(_ text: String, allowsWildcard: Bool) throws(PKIError) {
        // Room for 253 letters outside the basic plane, each written as a letter and a mark.
        guard text.utf8.count <= 2048 else { throw DomainName.tooLong }
        var labels = text.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false)[...]
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
        var encoded: [String] = []
        if labels.count > 1, let first = labels.first, first.elementsEqual("*".unicodeScalars) {
            guard allowsWildcard else {
                throw PKIError(.invalidDomainName, "A domain name must be given without a wildcard here.")
            }
            encoded.append("*")
            labels.removeFirst()
        }
        for label in labels {
            encoded.append(try DomainLabel(label).ascii)
        }
        let name = encoded.joined(separator: ".")
        guard name.utf8.count <= 253 else { throw DomainName.tooLong }
        if let last = encoded.last, last.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            throw PKIError(
                .invalidDomainName, "\"\(DomainName.echo(name))\" ends in a number: that is no domain name.")
        }
        self.description = name
    }

    private static var tooLong: PKIError {
        PKIError(.invalidDomainName, "A domain name has at most 253 characters.")
    }

    /// Only for names whose characters have been checked.
    static func echo(_ name: String) -> String {
        name.utf8.count <= 64 ? name : String(name.unicodeScalars.prefix(63)) + "…"
    }
}
