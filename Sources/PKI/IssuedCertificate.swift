internal import Crypto
internal import FoundationEssentials
internal import SwiftASN1
package import Timekeeping
internal import X509

/// An X.509 certificate: its bytes and the facts that are read from them.
package struct IssuedCertificate: Hashable, Sendable {
    package let der: [UInt8]
    package let publicKey: PublicKeyInfo
    /// Lower-case hexadecimal, two digits per byte.
    package let serialNumber: String
    package let notBefore: UnixInstant
    package let notAfter: UnixInstant
    /// The subject's common name; nil when there is none.
    package let commonName: String?
    /// The issuer's common name; nil when it has none.
    package let issuerCommonName: String?
    /// The serial number as its DER integer has it: big-endian, with a zero in front when the first bit is set.
    package let serialNumberContent: [UInt8]
    /// The `keyIdentifier` of the authority key identifier (RFC 5280, 4.2.1.1); nil when the certificate has none.
    package let authorityKeyIdentifier: [UInt8]?
    /// The DNS names and IP addresses of the subject alternative name extension, in its order. What
    /// `SubjectAlternativeName` cannot hold (an e-mail address, a name with an underscore) is left out.
    package let names: [SubjectAlternativeName]

    /// - Throws: `invalidPEM`, `invalidCertificate`.
    package init(pem: String) throws(PKIError) {
        try self.init(der: PEM(pem, label: IssuedCertificate.pemLabel).bytes)
    }

    /// - Throws: `invalidCertificate`; a key of an unsupported type is one reason.
    package init(der: [UInt8]) throws(PKIError) {
        guard der.count <= PEM.maximumUTF8Length else {
            throw PKIError(.invalidCertificate, "A certificate of this size is not supported.")
        }
        do {
            let certificate = try Certificate(derEncoded: der)
            self.der = der
            self.publicKey = try PublicKeyInfo(certificate.publicKey)
            self.serialNumber = hexadecimal(certificate.serialNumber.bytes)
            self.notBefore = UnixInstant(certificate.notValidBefore)
            self.notAfter = UnixInstant(certificate.notValidAfter)
            self.commonName = certificate.subject.commonName
            self.issuerCommonName = certificate.issuer.commonName
            let serial = Array(certificate.serialNumber.bytes)
            self.serialNumberContent = (serial.first ?? 0) >= 0x80 ? [0] + serial : serial
            self.authorityKeyIdentifier = try certificate.extensions.authorityKeyIdentifier?.keyIdentifier
                .map(Array.init)
            self.names = try (certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames())
                .compactMap(SubjectAlternativeName.init)
        } catch {
            throw PKIError(.invalidCertificate, "This is not a supported X.509 certificate.", cause: error)
        }
    }

    /// `-----BEGIN CERTIFICATE-----`, 64 columns, a newline at the end.
    package var pem: String { PEM(label: IssuedCertificate.pemLabel, bytes: der).text }

    /// SHA-256 of the DER, lower-case hexadecimal, 64 digits.
    package var fingerprint: String { hexadecimal(SHA256.hash(data: der)) }

    private static let pemLabel = "CERTIFICATE"
}

extension DistinguishedName {
    fileprivate var commonName: String? {
        lazy.flatMap { $0 }.first { $0.type == ASN1ObjectIdentifier.RDNAttributeType.commonName }
            .flatMap { String($0.value) }
    }
}

extension SubjectAlternativeName {
    fileprivate init?(_ name: GeneralName) {
        switch name {
        case .dnsName(let text):
            guard let domain = try? DomainName(wildcardAllowed: text) else { return nil }
            self = .dns(domain)
        case .ipAddress(let octets):
            guard let address = IPAddress(bytes: octets.bytes) else { return nil }
            self = .ip(address)
        default:
            return nil
        }
    }
}

extension UnixInstant {
    /// X.509 times lie in the years 0 to 9999, so the number of seconds is whole and fits.
    fileprivate init(_ date: Date) {
        self.init(seconds: Int64(date.timeIntervalSince1970))
    }
}
