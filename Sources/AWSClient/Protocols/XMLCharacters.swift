// The character classes of XML 1.0, sections 2.2 and 2.3; names are kept to ASCII.

extension UInt8 {
    var isXMLSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }

    var isNameStart: Bool {
        (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == UInt8(ascii: "_")
            || self == UInt8(ascii: ":")
    }

    var isNamePart: Bool {
        isNameStart || (0x30...0x39).contains(self) || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
    }
}

extension Unicode.Scalar {
    var isXMLCharacter: Bool {
        switch value {
        case 0x09, 0x0A, 0x0D, 0x20...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}

extension AWSError {
    static func notXML(_ reason: String, at position: Int) -> AWSError {
        AWSError(.invalidResponse, "The answer is no XML that we read: \(reason) (near byte \(position)).")
    }
}
