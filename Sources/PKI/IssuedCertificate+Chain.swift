extension IssuedCertificate {
    /// Reads the certificates of a chain, each in a PEM block of its own, one after the other; none in an empty text.
    ///
    /// - Throws: `invalidPEM`, `invalidCertificate`.
    package static func chain(pem text: String) throws(PKIError) -> [IssuedCertificate] {
        guard text.utf8.count <= PEM.maximumUTF8Length else {
            throw PKIError(.invalidPEM, "A chain of this size is not supported.")
        }
        var certificates: [IssuedCertificate] = []
        var block = ""
        for line in text.split(whereSeparator: \.isNewline) {
            block += line + "\n"
            if line.hasPrefix("-----END") {
                certificates.append(try IssuedCertificate(pem: block))
                block = ""
            }
        }
        guard block.allSatisfy(\.isWhitespace) else {
            throw PKIError(.invalidPEM, "The chain does not end with the END line of a certificate.")
        }
        return certificates
    }
}
