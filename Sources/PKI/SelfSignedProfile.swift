package import Timekeeping

/// What a self-signed server certificate is for and when. The rest of its contents is fixed.
package struct SelfSignedProfile: Sendable {
    /// Goes into the subject alternative name extension, in this order and each once. 1 to 100. IPv4-mapped IPv6 addresses
    /// are written as the IPv4 addresses that they stand for: Go refuses certificates with any other form.
    package let names: [SubjectAlternativeName]
    /// Subject and issuer, which must not be empty (RFC 5280, 4.1.2.4). 1 to 64 characters (ub-common-name).
    package let commonName: String
    /// Both ends are inclusive (RFC 5280, 4.1.2.5); parts of a second are dropped.
    package let notBefore: UnixInstant
    package let notAfter: UnixInstant

    package init(
        names: [SubjectAlternativeName], commonName: String, notBefore: UnixInstant, notAfter: UnixInstant
    ) {
        var seen = Set<SubjectAlternativeName>()
        self.names = names.map(\.withoutMapping).filter { seen.insert($0).inserted }
        self.commonName = commonName
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    static let maximumNames = 100
    /// RFC 5280, appendix A: `ub-common-name`, in characters.
    package static let maximumCommonNameLength = 64

    func validate() throws(PKIError) {
        guard !names.isEmpty, names.count <= SelfSignedProfile.maximumNames else {
            throw PKIError(
                .invalidProfile,
                "A certificate needs 1 to \(SelfSignedProfile.maximumNames) names; \(names.count) given.")
        }
        // Bytes first: characters are counted one by one.
        guard commonName.utf8.count <= 4 * SelfSignedProfile.maximumCommonNameLength,
            (1...SelfSignedProfile.maximumCommonNameLength).contains(commonName.unicodeScalars.count)
        else { throw PKIError(.invalidProfile, "A certificate's common name must have 1 to 64 characters.") }
        guard notBefore.seconds >= SelfSignedProfile.earliest, notAfter.seconds <= SelfSignedProfile.latest else {
            throw PKIError(.invalidProfile, "A certificate's dates must lie in the years 1950 to 9999.")
        }
        guard notBefore.seconds < notAfter.seconds else {
            throw PKIError(.invalidProfile, "The certificate would expire before it becomes valid.")
        }
    }

    /// 1950-01-01T00:00:00Z, where UTCTime begins.
    private static let earliest: Int64 = -631_152_000
    /// 9999-12-31T23:59:59Z, where GeneralizedTime ends.
    private static let latest: Int64 = 253_402_300_799
}
