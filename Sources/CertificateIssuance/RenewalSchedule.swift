package import Timekeeping

/// When a generation is to be renewed.
package struct RenewalSchedule: Hashable, Sendable {
    package let due: UnixInstant

    /// At two thirds of the lifetime, at half of one below ten days; earlier by up to a tenth of the lifetime, by a share
    /// that is fixed per generation, so that a fleet made in one hour is not renewed in one hour.
    package init(notBefore: UnixInstant, notAfter: UnixInstant, generation: Generation) {
        let lifetime = max(0, notAfter.seconds - notBefore.seconds)
        let jitter = Int64(Double(lifetime / 10) * generation.fraction)
        due = Self.point(notBefore: notBefore, notAfter: notAfter).advanced(by: .seconds(-jitter))
    }

    /// Two thirds of the lifetime, half of one below ten days.
    package static func point(notBefore: UnixInstant, notAfter: UnixInstant) -> UnixInstant {
        let lifetime = max(0, notAfter.seconds - notBefore.seconds)
        let point = lifetime < 10 * 86_400 ? lifetime / 2 : lifetime / 3 * 2
        return UnixInstant(seconds: notBefore.seconds + point)
    }
}
