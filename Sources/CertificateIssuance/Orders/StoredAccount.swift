internal import ACME
internal import Diagnostics

/// An account as it is stored. Secret.
struct StoredAccount: Codable {
    var version = 1
    let directory: ResourceURL
    let contact: String?
    /// Nil as long as the CA has not answered.
    var url: ResourceURL?
    /// A private JSON Web Key.
    var key: String
    /// The key that the account is about to get.
    var nextKey: String?
    /// Accounts that the CA has ended. Nil in what versions before 0.2 have written.
    var ended: [Ended]?

    /// Nothing but its own key can ever speak for it again.
    struct Ended: Codable {
        let url: ResourceURL?
        let key: String
    }

    init(_ authority: CertificateAuthority, key: AccountKey) {
        directory = authority.directory
        contact = authority.contact
        self.key = key.jwk.exposed
    }

    /// An account of another key, which the CA has not heard of yet, instead of this one.
    func replaced(by key: AccountKey) -> StoredAccount {
        var next = self
        next.ended = (ended ?? []) + [Ended(url: url, key: self.key)]
        next.url = nil
        next.key = key.jwk.exposed
        next.nextKey = nil
        return next
    }
}

extension StoredAccount: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "StoredAccount(<redacted>)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [Mirror.Child]()) }
}
