internal import HTTPTypes

/// An absolute `https` URL: ACME servers name all their resources so (RFC 8555, section 6.1).
package struct ResourceURL: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    private let authority: String

    /// Host and, when one is given, port.
    package var host: String { authority }

    /// - Throws: ``ACMEError/Code/invalidURL``. The URL is not repeated: it came over the network.
    package init(_ text: String) throws(ACMEError) {
        let scheme = "https://"
        guard text.utf8.count <= 2048, text.hasPrefix(scheme), text.utf8.allSatisfy(\.isURLByte),
            case let rest = text.dropFirst(scheme.count), case let authority = rest.prefix(while: { $0 != "/" }),
            !authority.isEmpty, authority.utf8.allSatisfy({ !"@?%".utf8.contains($0) })
        else {
            throw ACMEError(.invalidURL, "A URL of an ACME server must be https://host[:port]/path.")
        }
        description = text
        self.authority = String(authority)
    }

    func request(_ method: HTTPRequest.Method) -> HTTPRequest {
        let path = description.dropFirst("https://".count + authority.count)
        return HTTPRequest(
            method: method, scheme: "https", authority: authority, path: path.isEmpty ? "/" : String(path))
    }
}

extension ResourceURL: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension UInt8 {
    /// The characters of RFC 3986 without `#`. None of them needs an escape in JSON.
    fileprivate var isURLByte: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
            || "-._~:/?[]@!$&'()*+,;=%".utf8.contains(self)
    }
}
