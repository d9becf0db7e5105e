/// Two lower-case digits per byte, as fingerprints and serial numbers are shown.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    var digits: [UInt8] = []
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0F] {
            digits.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
        }
    }
    return String(decoding: digits, as: UTF8.self)
}
