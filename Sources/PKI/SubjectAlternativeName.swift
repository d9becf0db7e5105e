/// One name that a certificate is for (RFC 5280, 4.2.1.6).
package enum SubjectAlternativeName: Hashable, Sendable, CustomStringConvertible {
    case dns(DomainName)
    case ip(IPAddress)

    /// An IP address if it reads as one, else a domain name, `*.example.com` included.
    ///
    /// - Throws: `invalidDomainName`.
    package init(_ text: String) throws(PKIError) {
        if let address = IPAddress(text) {
            self = .ip(address)
        } else {
            self = .dns(try DomainName(wildcardAllowed: text))
        }
    }

    /// The IPv4 address in the place of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), every other name as it is.
    package var withoutMapping: SubjectAlternativeName {
        guard case .ip(let address) = self, let mapped = address.mappedIPv4 else { return self }
        return .ip(mapped)
    }

    package var description: String {
        switch self {
        case .dns(let name): name.description
        case .ip(let address): address.description
        }
    }
}
