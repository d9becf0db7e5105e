/// A certificate's serial number (RFC 5280, 4.1.2.2): positive, at most 20 octets, never zero.
package struct SerialNumber: Hashable, Sendable, CustomStringConvertible {
    /// Big-endian, 20 bytes, the first between 0x40 and 0x7F.
    package let bytes: [UInt8]

    /// From the system's generator.
    package static func random() -> SerialNumber {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// 158 random bits. The two highest bits are fixed: the first is the sign and must be 0, the second is 1 so that
    /// every number has the same length and none is zero.
    package static func random(using generator: inout some RandomNumberGenerator) -> SerialNumber {
        let first = UInt8.random(in: 0x40...0x7F, using: &generator)
        let others = (1..<20).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return SerialNumber(bytes: [first] + others)
    }

    /// Lower-case hexadecimal.
    package var description: String { hexadecimal(bytes) }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}
