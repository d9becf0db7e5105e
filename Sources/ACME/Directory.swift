/// Where a server takes which request (RFC 8555, section 7.1.1). Members that are not known are let pass.
package struct Directory: Hashable, Sendable, Decodable {
    let newNonce: ResourceURL
    let newAccount: ResourceURL
    let newOrder: ResourceURL
    let revokeCert: ResourceURL?
    let keyChange: ResourceURL?
    /// RFC 9773; nil when the server does not say when it wants certificates renewed.
    let renewalInfo: ResourceURL?
    package let meta: Meta

    package struct Meta: Hashable, Sendable, Decodable {
        package let termsOfService: String?
        package let externalAccountRequired: Bool?
        /// Names of profiles and what they are for, as draft-ietf-acme-profiles has them.
        package let profiles: [String: String]?
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        newNonce = try container.decode(ResourceURL.self, forKey: .newNonce)
        newAccount = try container.decode(ResourceURL.self, forKey: .newAccount)
        newOrder = try container.decode(ResourceURL.self, forKey: .newOrder)
        revokeCert = try container.decodeIfPresent(ResourceURL.self, forKey: .revokeCert)
        keyChange = try container.decodeIfPresent(ResourceURL.self, forKey: .keyChange)
        renewalInfo = try container.decodeIfPresent(ResourceURL.self, forKey: .renewalInfo)
        meta =
            try container.decodeIfPresent(Meta.self, forKey: .meta)
            ?? Meta(termsOfService: nil, externalAccountRequired: nil, profiles: nil)
    }

    private enum Key: String, CodingKey {
        case newNonce, newAccount, newOrder, revokeCert, keyChange, renewalInfo, meta
    }
}
