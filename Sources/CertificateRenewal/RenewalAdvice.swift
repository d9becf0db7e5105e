internal import CertificateIssuance
package import Timekeeping

/// What an authority said last of a certificate's renewal (RFC 9773), and the time that was chosen in its window: once, so
/// that a fleet stays spread over it.
package struct RenewalAdvice: Hashable, Sendable, Codable {
    package let certificateID: String
    package let windowStart: UnixInstant
    package let windowEnd: UnixInstant
    package let chosen: UnixInstant
    package let askAgainAt: UnixInstant
    /// A page for people.
    package let explanationURL: String?
}
