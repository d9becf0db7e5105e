internal import ACME
internal import Timekeeping

extension OrderBook {
    /// Let's Encrypt issues five certificates for one set of names in seven days. The last one is left for a person.
    private static let issuancesAllowed = 4
    /// Let's Encrypt takes five failed validations of one name in an hour.
    private static let failuresAllowed = 4

    /// Stops an order that would run into the authority's limits: those let nobody through for days.
    ///
    /// - Throws: ``IssuanceError/Code/rateLimited``.
    func checkLimits(
        for request: OrderRequest, at now: UnixInstant, _ settings: SettingNames
    ) throws(IssuanceError) {
        if let until = refusedUntil, until > now {
            throw IssuanceError(
                .rateLimited,
                "\(request.authority.directory.host) asked to wait until \(until) before \(request.title) is ordered again."
            )
        }
        guard !request.authority.isStaging else { return }
        if failures.count >= Self.failuresAllowed, let oldest = failures.min() {
            throw IssuanceError(
                .rateLimited,
                "\(failures.count) validations of \(request.title) failed within an hour, and the authority stops at five: "
                    + "nothing was ordered. Mend the cause, then try again after \(oldest.advanced(by: .seconds(3600))), or "
                    + "try at once with \(settings.staging).")
        }
        // A certificate that has been in use until its time is no sign of something going in circles.
        let recent = issuances.filter { $0.due > now }
        if recent.count >= Self.issuancesAllowed, let oldest = recent.map(\.at).min() {
            throw IssuanceError(
                .rateLimited,
                "\(recent.count) certificates for \(request.title) were issued within seven days, and Let's Encrypt stops "
                    + "at five: nothing was ordered. Use \(settings.staging) while trying things out, or wait until "
                    + "\(oldest.advanced(by: Self.memory)).")
        }
    }
}
