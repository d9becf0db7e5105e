package import Diagnostics
internal import FoundationEssentials
package import PKI
internal import Timekeeping

/// The secret object: key and certificate, as servers fetch them. Prints redacted.
package struct CertificateBundle: Sendable {
    package let keyPair: KeyPair
    package let certificate: IssuedCertificate
    package let definition: CertificateDefinition
    package let generation: Generation

    package init(
        keyPair: KeyPair, certificate: IssuedCertificate, definition: CertificateDefinition, generation: Generation
    ) {
        self.keyPair = keyPair
        self.certificate = certificate
        self.definition = definition
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
            app_name: definition.appName,
            apps_domain: definition.appDomain.description,
            chain: "",
            generation: generation.description,
            key_algorithm: definition.keyAlgorithm.rawValue,
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
    package var customMirror: Mirror { Mirror(self, children: ["generation": generation.description]) }
}
