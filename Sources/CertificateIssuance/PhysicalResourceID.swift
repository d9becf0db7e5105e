/// What a resource's physical id says about where its certificate is.
package enum PhysicalResourceID: Hashable, Sendable {
    /// Ours: a Delete needs no property.
    case certificate(CertificateAddress)
    /// The name of a Lambda log stream: the resource was made by system A's function (case 26).
    case logStream(String)
    /// Anything else: CloudFormation invents one for a Create that it cancelled (case 3).
    case unknown(String)

    /// The version in the prefix lets a later form be told from this one.
    private static let prefix = "stackcert:1:"

    package init(_ text: String) {
        if text.hasPrefix(Self.prefix), let slash = text.firstIndex(of: "/"),
            let address = CertificateAddress(
                bucket: text[..<slash].dropFirst(Self.prefix.count), key: text[slash...].dropFirst())
        {
            self = .certificate(address)
        } else if Self.isLogStreamName(text) {
            self = .logStream(text)
        } else {
            self = .unknown(text)
        }
    }

    /// At most 1 KB: CloudFormation's limit.
    package var text: String {
        switch self {
        case .certificate(let address): "\(Self.prefix)\(address.bucket)/\(address.key)"
        case .logStream(let name), .unknown(let name): name
        }
    }

    /// `2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef`, in a log group that the function shares with others
    /// `2026/11/20/my-function[$LATEST]0123456789abcdef0123456789abcdef`. The last part may stand in brackets as well.
    ///
    /// Source: AWS Lambda Developer Guide, "Configuring CloudWatch log groups"; Operator Guide, "How CloudWatch structures
    /// logs".
    private static func isLogStreamName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, zip(parts, [4, 2, 2]).allSatisfy({ $0.count == $1 && $0.allSatisfy(\.isNumber) }),
            let opening = parts[3].firstIndex(of: "["), let closing = parts[3].firstIndex(of: "]"), opening < closing
        else { return false }
        let function = parts[3][..<opening]
        guard function.utf8.count <= 64, function.utf8.allSatisfy(isFunctionNameByte) else { return false }
        var environment = parts[3][closing...].dropFirst()
        if environment.hasPrefix("["), environment.hasSuffix("]") { environment = environment.dropFirst().dropLast() }
        return environment.count == 32 && environment.allSatisfy(\.isHexDigit)
    }

    private static func isFunctionNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
