import CertificateRenewal
import PKI
import Timekeeping

/// What every view of a certificate shows in the same words.
extension CertificateStatus {
    /// `RSA_2048`; a dash for a key that cannot be read.
    var algorithm: String { (try? PublicKeyInfo(base64: publicKey).keyAlgorithm)?.rawValue ?? "-" }

    /// Whole days, rounded towards the past: 0 on the last day, negative after it.
    func daysLeft(at now: UnixInstant) -> Int {
        Int((now.duration(to: notAfter) / Duration.days(1)).rounded(.down))
    }

    /// A damaged record may say that it ends before it begins.
    var lifetime: ClosedRange<UnixInstant> { notBefore...max(notBefore, notAfter) }
}

extension UnixInstant {
    /// `2027-11-21`
    var day: String { String(iso8601.prefix(10)) }
}
