internal import Crypto

/// The resource of a stack to which a certificate belongs.
package struct CertificateOwner: Hashable, Sendable {
    /// The stack's ARN.
    package let stackID: String
    /// The last part of the ARN: another stack of the same name has another one.
    package let stackGUID: String
    package let logicalResourceID: String

    package init(stackID: String, stackGUID: String, logicalResourceID: String) {
        self.stackID = stackID
        self.stackGUID = stackGUID
        self.logicalResourceID = logicalResourceID
    }

    /// What the objects of this owner carry: SHA-256 of the canonical form of stack and logical id, in hexadecimal. An
    /// ARN may be 230 bytes long and an object's metadata 2 KB.
    package var digest: String {
        var form = CanonicalForm("stackcert/owner/1")
        form.append(.stackID, stackID)
        form.append(.logicalResourceID, logicalResourceID)
        return hexadecimal(SHA256.hash(data: form.bytes))
    }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.reduce(into: "") { text, byte in
        text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
