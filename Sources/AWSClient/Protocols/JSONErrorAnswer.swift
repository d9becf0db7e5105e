internal import FoundationEssentials
internal import HTTPTypes
internal import SigV4

extension ErrorAnswer {
    /// Reads the error of the protocol AWS JSON 1.1: its code is in the body's `__type` or in the field
    /// `x-amzn-errortype`, behind a namespace (`com.amazonaws.ssm#`) or before a link (`:http://…`) in some services.
    /// Nil when the answer holds none.
    init?(json body: [UInt8], fields: HTTPFields) {
        let members = try? JSONDecoder().decode(Members.self, from: Data(body))
        guard let type = fields[named: "x-amzn-errortype"] ?? members?.__type else { return nil }
        let code = (type.split(separator: "#").last ?? "").prefix { $0 != ":" }
        guard (1...80).contains(code.utf8.count),
            // It is shown and logged as it is.
            code.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) })
        else { return nil }
        self.init(code: AWSError.Code(rawValue: String(code)), message: members?.message ?? members?.Message)
    }

    // Named as they are read.
    // swift-format-ignore: AlwaysUseLowerCamelCase, NoLeadingUnderscores
    private struct Members: Decodable {
        let __type: String?
        let message: String?
        let Message: String?
    }
}
