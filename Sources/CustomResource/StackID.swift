/// A stack's ARN: `arn:<partition>:cloudformation:<region>:<account>:stack/<name>/<GUID>`.
package struct StackID: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    /// `aws`, `aws-cn`, `aws-us-gov` …
    package let partition: String
    /// 12 digits.
    package let account: String
    /// What tells two stacks of one name apart: CloudFormation makes a new one for each stack. 1–64 of `[A-Za-z0-9-]`.
    package let guid: String

    package init?(_ text: String) {
        guard text.utf8.count <= 512 else { return nil }
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "arn", fields[1].hasPrefix("aws"), fields[2] == "cloudformation",
            fields[3].isPlain, fields[1].isPlain, fields[4].utf8.count == 12, fields[4].utf8.allSatisfy(\.isDigit)
        else { return nil }
        let path = fields[5].split(separator: "/", omittingEmptySubsequences: false)
        guard path.count == 3, path[0] == "stack", path[1].isPlain, path[2].isPlain, path[2].utf8.count <= 64 else {
            return nil
        }
        self.description = text
        self.partition = String(fields[1])
        self.account = String(fields[4])
        self.guid = String(path[2])
    }
}

extension Substring {
    /// Letters, digits and hyphens only: safe in a key, an ARN and a message.
    fileprivate var isPlain: Bool {
        !isEmpty && utf8.allSatisfy { $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "-") }
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    var isLetter: Bool { (self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "z") }
}
