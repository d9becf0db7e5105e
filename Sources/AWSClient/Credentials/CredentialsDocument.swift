internal import FoundationEssentials
internal import SigV4
internal import Timekeeping

/// The JSON in which containers and instances are handed the keys of their role.
struct CredentialsDocument {
    let credentials: SigningCredentials

    /// - Parameter source: who sent it, as a sentence begins: `The container's credentials endpoint`.
    /// - Throws: ``AWSError/Code/credentialsUnavailable``. What was sent is never repeated.
    init(_ body: [UInt8], from source: String) throws(AWSError) {
        let values: [String: Text]
        do {
            values = try JSONDecoder().decode([String: Text].self, from: Data(body))
        } catch {
            throw AWSError(.credentialsUnavailable, "\(source) sent no JSON object.")
        }
        func value(_ name: String) -> String? { values[name]?.text.flatMap { $0.isEmpty ? nil : $0 } }
        if let code = value("Code"), code != "Success" {
            throw AWSError(.credentialsUnavailable, "\(source) reports that it has no keys now.")
        }
        guard let id = value("AccessKeyId"), let secret = value("SecretAccessKey"), let token = value("Token"),
            let expiration = value("Expiration").flatMap({ UnixInstant(iso8601: $0) })
        else { throw AWSError(.credentialsUnavailable, "\(source) sent an object without keys and their expiration.") }
        self.credentials = SigningCredentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: token, expiration: expiration)
    }

    /// A value that may be of any kind; only strings matter.
    private struct Text: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            self.text = try? decoder.singleValueContainer().decode(String.self)
        }
    }
}
