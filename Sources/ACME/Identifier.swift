/// What a certificate is ordered for (RFC 8555, section 9.7.7): a DNS name in A-labels, `*.` in front included, or, with
/// RFC 8738, an IP address.
package struct Identifier: Hashable, Sendable, Codable {
    /// `dns` or `ip`.
    package let type: String
    package let value: String

    package init(type: String, value: String) {
        self.type = type
        self.value = value
    }

    package static func dns(_ name: String) -> Identifier { Identifier(type: "dns", value: name) }
    package static func ip(_ address: String) -> Identifier { Identifier(type: "ip", value: address) }
}
