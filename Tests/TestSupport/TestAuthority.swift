internal import Crypto
internal import Foundation
internal import SwiftASN1
internal import Timekeeping
internal import X509

/// A certificate authority of two levels, for the in-memory ACME server.
struct TestAuthority: Sendable {
    private let key = P256.Signing.PrivateKey()
    private let rootKey = P256.Signing.PrivateKey()

    /// - Parameters:
    ///   - base64URLRequest: PKCS#10.
    ///   - names: which it must ask for, no more and no less.
    /// - Returns: the certificate and the intermediate one, in PEM.
    func issue(base64URLRequest: String, names: [String], from now: UnixInstant, lifetime: Duration) throws -> String {
        var text = base64URLRequest.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        let request = try CertificateSigningRequest(derEncoded: Array(Data(base64Encoded: text) ?? Data()))
        let extensions = try request.attributes.extensionRequest?.extensions
        guard request.publicKey.isValidSignature(request.signature, for: request), request.subject.isEmpty,
            let asked = try extensions?.subjectAlternativeNames
        else { throw RefusedRequest() }
        let found = asked.compactMap { name in if case .dnsName(let text) = name { text } else { nil } }
        guard found.sorted() == names.sorted(), asked.count == names.count else {
            throw RefusedRequest()
        }
        let start = Date(timeIntervalSince1970: Double(now.seconds))
        let intermediate = try DistinguishedName { CommonName("Test Intermediate") }
        let issuer = try certificate(
            for: Certificate.PublicKey(key.publicKey), subject: intermediate,
            issuer: DistinguishedName { CommonName("Test Root") }, from: start,
            lifetime: .days(1000), by: rootKey,
            extensions: Certificate.Extensions { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0)) })
        let leaf = try certificate(
            for: request.publicKey, subject: DistinguishedName(), issuer: intermediate, from: start,
            lifetime: lifetime, by: key,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(asked)
                AuthorityKeyIdentifier(
                    keyIdentifier: ArraySlice(Insecure.SHA1.hash(data: key.publicKey.rawRepresentation)))
            })
        return try leaf.serializeAsPEM().pemString + "\n" + issuer.serializeAsPEM().pemString + "\n"
    }

    private func certificate(
        for publicKey: Certificate.PublicKey, subject: DistinguishedName, issuer: DistinguishedName, from start: Date,
        lifetime: Duration, by key: P256.Signing.PrivateKey, extensions: Certificate.Extensions
    ) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey, notValidBefore: start,
            notValidAfter: start.addingTimeInterval(Double(lifetime.components.seconds)), issuer: issuer,
            subject: subject, signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions,
            issuerPrivateKey: Certificate.PrivateKey(key))
    }
}

struct RefusedRequest: Error {}
