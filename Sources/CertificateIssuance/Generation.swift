internal import ACME
internal import Crypto
internal import PKI

/// One key and certificate, named by what defines it: the same request finds it again, another makes another.
package struct Generation: Hashable, Sendable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let description: String

    /// Digest version 1: SHA-256 over owner and defining properties, with this version's defaults filled in.
    ///
    /// The result is part of object keys and physical ids. Golden vectors hold it: a change would orphan live keys.
    package init(_ definition: CertificateDefinition, of owner: CertificateOwner) {
        var form = CanonicalForm("stackcert/generation/1")
        form.append(.stackID, owner.stackID)
        form.append(.logicalResourceID, owner.logicalResourceID)
        form.append(.appDomain, definition.appDomain.description)
        form.append(.appName, definition.appName)
        form.append(.bucket, definition.bucket)
        form.append(.keyAlgorithm, definition.keyAlgorithm.rawValue)
        form.append(.validityDays, String(definition.validityDays))
        for name in definition.subjectAlternativeNames { form.append(.subjectAlternativeName, name.description) }
        if let rotation = definition.rotation { form.append(.rotation, rotation) }
        description = hexadecimal(SHA256.hash(data: form.bytes))
    }

    /// As above, digest version 1 of Let's Encrypt certificates.
    package init(_ definition: LetsEncryptDefinition, of owner: CertificateOwner) {
        var form = CanonicalForm("stackcert/lets-encrypt-generation/1")
        form.append(.stackID, owner.stackID)
        form.append(.logicalResourceID, owner.logicalResourceID)
        form.append(.appName, definition.appName)
        form.append(.bucket, definition.bucket)
        form.append(.directory, definition.directory.description)
        form.append(.keyAlgorithm, definition.keyAlgorithm.rawValue)
        for name in definition.names { form.append(.subjectAlternativeName, name.description) }
        if let profile = definition.profile { form.append(.profile, profile) }
        if let chain = definition.preferredChain { form.append(.preferredChain, chain) }
        for target in definition.importTargets { form.append(.importTarget, target.rawValue) }
        if let region = definition.importRegion { form.append(.importRegion, region) }
        if let path = definition.importPath { form.append(.importPath, path) }
        if let rotation = definition.rotation { form.append(.rotation, rotation) }
        description = hexadecimal(SHA256.hash(data: form.bytes))
    }

    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 64,
            text.utf8.allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            })
        else { return nil }
        description = String(text)
    }

    /// A number in 0..<1 that is fixed for the generation and even over all of them.
    var fraction: Double {
        let digits = description.prefix(8)
        return Double(UInt32(digits, radix: 16) ?? 0) / 4_294_967_296
    }
}
