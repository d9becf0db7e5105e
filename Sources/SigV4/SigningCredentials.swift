package import Diagnostics
package import Timekeeping

/// The key pair that signs requests. Nothing of it can be printed: description, `dump` and reflection show no value.
package struct SigningCredentials: Sendable, Hashable {
    /// Names the key to AWS; sent in clear with every request, and still never shown by us.
    package let accessKeyID: String
    /// The signing secret; it never leaves the process.
    package let secretAccessKey: Redacted<String>
    /// Goes with temporary keys only; whoever has it and the secret is the role.
    package let sessionToken: Redacted<String>?
    /// When temporary keys stop working; nil for keys without an end.
    package let expiration: UnixInstant?

    package init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: UnixInstant? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = Redacted(secretAccessKey)
        self.sessionToken = sessionToken.map { Redacted($0) }
        self.expiration = expiration
    }
}

extension SigningCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: [Mirror.Child]()) }
}
