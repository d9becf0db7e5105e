/// One label of a domain name, converted to its A-label where it is not ASCII (RFC 5890, 5891).
struct DomainLabel {
    let ascii: String

    static let maximumLength = 63
    private static let prefix = "xn--"

    init(_ text: some Collection<Unicode.Scalar>) throws(PKIError) {
        guard !text.isEmpty else {
            throw PKIError(.invalidDomainName, "A domain name must not be empty or have an empty part between dots.")
        }
        let scalars = DomainLabel.mapped(text)
        if scalars.allSatisfy(\.isASCII) {
            try self.init(ascii: String(String.UnicodeScalarView(scalars)))
        } else {
            try self.init(unicode: scalars)
        }
    }

    private init(ascii label: String) throws(PKIError) {
        try DomainLabel.check(Array(label.unicodeScalars)) { $0.isASCII && $0.idnaClass == .valid }
        guard label.utf8.count <= DomainLabel.maximumLength else { throw DomainLabel.tooLong(label) }
        if label.hasPrefix(DomainLabel.prefix) {
            guard DomainLabel.isALabel(label) else {
                throw PKIError(
                    .invalidDomainName,
                    "The part \"\(DomainName.echo(label))\" of the domain name is not valid Punycode.")
            }
        } else if DomainLabel.isReserved(label.unicodeScalars) {
            throw DomainLabel.reserved
        }
        self.ascii = label
    }

    private init(unicode scalars: [Unicode.Scalar]) throws(PKIError) {
        // The encoding has at least one character for each, and takes quadratic time.
        guard scalars.count <= DomainLabel.maximumLength else { throw DomainLabel.tooLong }
        try DomainLabel.check(scalars) { $0.idnaClass != .invalid }
        guard scalars.allSatisfy({ $0.idnaClass == .valid }) else {
            throw PKIError(
                .invalidDomainName,
                "A part of the domain name has right-to-left or context-dependent characters: write its xn-- form.")
        }
        guard !DomainLabel.isReserved(scalars) else { throw DomainLabel.reserved }
        let label = DomainLabel.prefix + Punycode.encode(scalars)
        guard label.utf8.count <= DomainLabel.maximumLength else { throw DomainLabel.tooLong }
        self.ascii = label
    }

    /// Lower case and NFC, the two steps of UTS 46's mapping that people rely on. What its other steps would change
    /// (full-width forms, ligatures) is not valid afterwards, and so refused.
    private static func mapped(_ text: some Collection<Unicode.Scalar>) -> [Unicode.Scalar] {
        var lowered = String.UnicodeScalarView()
        for scalar in text {
            // Not every capital is folded: the small Cherokee letters are folded to the capitals.
            if scalar.properties.generalCategory == .uppercaseLetter, scalar.properties.changesWhenNFKCCaseFolded {
                lowered.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            } else {
                lowered.append(scalar)
            }
        }
        return canonicallyComposed(String(lowered))
    }

    /// The rules for every kind of label.
    private static func check(
        _ scalars: [Unicode.Scalar], allows: (Unicode.Scalar) -> Bool
    ) throws(PKIError) {
        guard scalars.allSatisfy(allows) else {
            throw PKIError(.invalidDomainName, "The domain name has a character that domain names cannot have.")
        }
        guard scalars.first != "-", scalars.last != "-" else {
            throw PKIError(.invalidDomainName, "A part of the domain name begins or ends with a hyphen.")
        }
        guard scalars.first?.isCombiningMark == false else {
            throw PKIError(.invalidDomainName, "A part of the domain name begins with a combining mark.")
        }
    }

    /// Whether a label that begins with `xn--` is the one encoding of a valid label. Direction and context were the
    /// business of whoever wrote it.
    private static func isALabel(_ label: String) -> Bool {
        let encoded = label.utf8.dropFirst(prefix.utf8.count)
        guard let scalars = Punycode.decode(encoded), !scalars.allSatisfy(\.isASCII),
            Punycode.encode(scalars).utf8.elementsEqual(encoded), mapped(scalars) == scalars,
            !isReserved(scalars)
        else { return false }
        do {
            try check(scalars) { $0.idnaClass != .invalid }
            return true
        } catch {
            return false
        }
    }

    /// RFC 5890, 2.3.1: hyphens in the third and fourth place are reserved for encodings like `xn--`.
    private static func isReserved(_ scalars: some Collection<Unicode.Scalar>) -> Bool {
        scalars.count >= 4 && scalars.dropFirst(2).prefix(2).allSatisfy { $0 == "-" }
    }

    private static var reserved: PKIError {
        PKIError(.invalidDomainName, "A part of the domain name has hyphens in its third and fourth place.")
    }

    private static var tooLong: PKIError {
        PKIError(.invalidDomainName, "A part of the domain name has more than 63 characters.")
    }

    private static func tooLong(_ label: String) -> PKIError {
        PKIError(
            .invalidDomainName,
            "The part \"\(DomainName.echo(label))\" of the domain name has more than 63 characters.")
    }
}
