internal import CertificateIssuance
internal import Timekeeping

/// What an authority said last of a certificate's renewal (RFC 9773), and the time that was chosen in its window: once, so
/// that a fleet stays spread over it.
struct RenewalAdvice: Hashable, Sendable, Codable {
    let certificateID: String
    let windowStart: UnixInstant
    let windowEnd: UnixInstant
    let chosen: UnixInstant
    let askAgainAt: UnixInstant
    /// A page for people.
    let explanationURL: String?
}
