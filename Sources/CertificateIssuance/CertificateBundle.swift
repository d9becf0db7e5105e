package import Diagnostics
internal import FoundationEssentials
package import PKI
internal import Timekeeping

/// The secret object: key and certificate, as servers fetch them. Prints redacted.
package struct CertificateBundle: Sendable {
    package let keyPair: KeyPair
    package let certificate: IssuedCertificate
    /// From the certificate's issuer upwards, in PEM; empty when it is self-signed.
    package let chainPEM: String
    package let appName: String
    package let appDomain: String
    /// What tells this bundle from others of the same application.
    package let generation: String

    package init(
        keyPair: KeyPair, certificate: IssuedCertificate, chainPEM: String = "", appName: String, appDomain: String,
        generation: String
    ) {
        self.keyPair = keyPair
        self.certificate = certificate
        self.chainPEM = chainPEM
        self.appName = appName
        self.appDomain = appDomain
        self.generation = generation
    }

    /// The object's JSON. Member names are public API; the first five are system A's.
    package func encoded() throws -> Redacted<[UInt8]> {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let members = Members(
            private_key: keyPair.privateKeyPEM.exposed,
            certificate: certificate.pem,
            public_key: keyPair.publicKey.pem,
            app_name: appName,
            apps_domain: appDomain,
            chain: chainPEM,
            generation: generation,
            key_algorithm: keyPair.algorithm.rawValue,
            not_after: certificate.notAfter.iso8601,
            not_before: certificate.notBefore.iso8601,
            serial_number: certificate.serialNumber)
        return Redacted(Array(try encoder.encode(members)))
    }

    // Named as they are written, so that the list above is the format.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Members: Encodable {
        let private_key: String
        let certificate: String
        let public_key: String
        let app_name: String
        let apps_domain: String
        let chain: String
        let generation: String
        let key_algorithm: String
        let not_after: String
        let not_before: String
        let serial_number: String
    }
}

extension CertificateBundle: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "CertificateBundle(\(generation), <redacted>)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["generation": generation]) }
}
