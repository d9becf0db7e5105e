internal import Diagnostics

/// What this module refuses or could not do.
///
/// Messages never quote key material, nor text that failed its character check.
package struct PKIError: DiagnosticError {
    package enum Code: Hashable, Sendable {
        case invalidPEM
        case invalidBase64
        case invalidPrivateKey
        case invalidPublicKey
        case invalidDomainName
        case invalidCertificate
        /// The names or dates asked for cannot be put into a certificate.
        case invalidProfile
        case keyGenerationFailed
        case signingFailed
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
