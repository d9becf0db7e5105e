internal import CustomResource
internal import PKI

/// Properties that all certificates have.
extension PropertyBag {
    func appName() throws(CustomResourceError) -> String {
        let name = try string("AppName", maximumLength: 128)
        guard
            name.utf8.allSatisfy({ byte in
                isASCIILetter(byte) || isASCIIDigit(byte) || ".-_".utf8.contains(byte)
            })
        else {
            throw .invalid(
                "AppName",
                "has characters that are not allowed: it becomes part of ARNs, so only letters, digits, dot, underscore "
                    + "and hyphen may be used")
        }
        return name
    }

    func bucket(of allowed: [String]) throws(CustomResourceError) -> String {
        let bucket = try string("AppS3Bucket", maximumLength: 63)
        guard allowed.contains(bucket) else {
            throw .invalid(
                "AppS3Bucket",
                "is not a bucket that this provider serves: use the provider stack's output CertificateBucketName")
        }
        return bucket
    }

    func keyAlgorithm() throws(CustomResourceError) -> KeyAlgorithm? {
        guard let text = try optionalString("KeyAlgorithm", maximumLength: 64) else { return nil }
        guard let algorithm = KeyAlgorithm(rawValue: text) else {
            let allowed = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid("KeyAlgorithm", "is \"\(printable(text))\": it must be one of \(allowed)")
        }
        return algorithm
    }

    func rotationParameter() throws(CustomResourceError) -> String? {
        guard let name = try optionalString("RotationParameter", maximumLength: 255) else { return nil }
        guard name.utf8.allSatisfy({ isASCIILetter($0) || isASCIIDigit($0) }) else {
            throw .invalid("RotationParameter", "must be a parameter's name: letters and digits only")
        }
        return name
    }
}

private func isASCIILetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
}

private func isASCIIDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// What a message may echo: everything but ASCII's visible characters is escaped.
func printable(_ text: String) -> String {
    text.unicodeScalars.map { $0.value > 0x20 && $0.value < 0x7f ? String($0) : $0.escaped(asASCII: true) }.joined()
}

extension CustomResourceRequest {
    /// A name that the resource does not have is most likely a typing error, so it is refused while nothing depends on it.
    /// Names that an earlier request had are let pass.
    func checkNames(_ names: Set<String>) throws(CustomResourceError) {
        let known = names.union(oldProperties.map { Set($0.members.keys) } ?? [])
        guard let name = properties.names(besides: known).first else { return }
        let shown = name.utf8.count <= 64 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } ? name : "with this name"
        throw CustomResourceError(
            .unknownProperty(name),
            "Property \(shown) is not one of this resource's: " + names.sorted().joined(separator: ", ") + ".")
    }
}
