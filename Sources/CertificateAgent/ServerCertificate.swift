package import Diagnostics
internal import FoundationEssentials
package import PKI
package import Timekeeping

/// A bundle as a server takes it, checked: key and certificate belong together. Prints redacted.
package struct ServerCertificate: Sendable {
    /// PKCS#8 in PEM.
    let privateKeyPEM: Redacted<String>
    package let certificate: IssuedCertificate
    let chain: [IssuedCertificate]

    /// Reads a bundle's JSON.
    ///
    /// - Parameter now: the certificate's time has to have begun. Whether it is over is for the caller to tell.
    /// - Throws: ``AgentError/Code/bundleInvalid``; a member's value is never quoted.
    package init(bundle: Redacted<[UInt8]>, now: UnixInstant) throws(AgentError) {
        func refusal(_ problem: String, _ cause: (any Error)? = nil) -> AgentError {
            AgentError(.bundleInvalid, "The bundle is refused: \(problem).", cause: cause)
        }
        let members: Members
        do {
            members = try JSONDecoder().decode(Members.self, from: Data(bundle.exposed))
        } catch {
            throw refusal("it is no JSON object with the members private_key, certificate and public_key")
        }
        let keyPair: KeyPair
        let statedKey: PublicKeyInfo
        do {
            keyPair = try KeyPair(pkcs8PEM: members.private_key)
            self.certificate = try IssuedCertificate(pem: members.certificate)
            statedKey = try PublicKeyInfo(pem: members.public_key)
            self.chain = try IssuedCertificate.chain(pem: members.chain ?? "")
        } catch {
            throw refusal(String(error.message.prefix { $0 != "." }), error)
        }
        guard keyPair.publicKey == certificate.publicKey else {
            throw refusal("its private key and its certificate do not belong together")
        }
        guard keyPair.publicKey == statedKey else {
            throw refusal("its public_key is another one than its certificate's")
        }
        guard certificate.notBefore <= now else {
            throw refusal("its certificate is valid from \(certificate.notBefore) only; check this server's clock")
        }
        self.privateKeyPEM = keyPair.privateKeyPEM
    }

    /// What goes into a file.
    func contents(of role: CertificateFile.Role, hasChainFile: Bool) -> Redacted<[UInt8]> {
        let chainPEM = chain.map(\.pem).joined()
        let text =
            switch role {
            case .privateKey: privateKeyPEM.exposed
            case .certificate: certificate.pem + (hasChainFile ? "" : chainPEM)
            case .chain: chainPEM
            case .combined: privateKeyPEM.exposed + certificate.pem + chainPEM
            }
        return Redacted(Array(text.utf8))
    }

    // Named as they are read.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Members: Decodable {
        let private_key: String
        let certificate: String
        let public_key: String
        let chain: String?
    }
}

extension ServerCertificate: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "ServerCertificate(\(certificate.fingerprint), <redacted>)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["fingerprint": certificate.fingerprint]) }
}
