/// Where requests go.
struct Endpoint: Hashable, Sendable {
    /// `https` or `http`.
    let scheme: String
    /// Host and port, lower case.
    let authority: String
    /// What precedes every path: empty, or `/` and more without a slash at the end.
    let basePath: String
    /// True when somebody chose it: its host has no names below it for buckets.
    let isCustom: Bool

    init(host: String) {
        self.scheme = "https"
        self.authority = host
        self.basePath = ""
        self.isCustom = false
    }

    /// - Throws: ``AWSError/Code/invalidConfiguration`` for anything but `http(s)://host[:port][/path]`. The URL is not
    ///   repeated in the message: it may hold a password.
    init(url: String) throws(AWSError) {
        guard let schemeEnd = url.firstRange(of: "://"),
            case let scheme = url[..<schemeEnd.lowerBound].lowercased(), scheme == "http" || scheme == "https",
            case let rest = url[schemeEnd.upperBound...],
            case let authority = rest.prefix(while: { $0 != "/" }),
            !authority.isEmpty, authority.utf8.allSatisfy(\.isAuthorityByte),
            rest.dropFirst(authority.count).utf8.allSatisfy(\.isPathByte)
        else {
            throw AWSError(
                .invalidConfiguration, "An endpoint URL must be http(s)://host[:port][/path], without user or query.")
        }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path = path.dropLast() }
        self.scheme = scheme
        self.authority = authority.lowercased()
        self.basePath = String(path)
        self.isCustom = true
    }
}

extension UInt8 {
    private var isAlphanumeric: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }

    fileprivate var isAuthorityByte: Bool { isAlphanumeric || "-._:[]".utf8.contains(self) }
    fileprivate var isPathByte: Bool { isAlphanumeric || "-._~/%".utf8.contains(self) }
}
