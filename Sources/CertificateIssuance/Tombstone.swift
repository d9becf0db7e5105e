internal import Timekeeping

/// Says that a Delete of a generation came: requests issued before it must not bring the generation back (case 3).
struct Tombstone: Hashable, Sendable, Codable {
    /// When CloudFormation issued the Delete.
    let issuedAt: UnixInstant
    /// When it was carried out.
    let writtenAt: UnixInstant

    /// Lambda gives up redelivery after 15 minutes (`MaximumEventAge`), so nothing older is still under way.
    static let lifetime = Duration.seconds(30 * 60)

    /// ResponseURLs are dated to the second: of two requests in one second the Delete counts as the later one.
    func stops(_ claim: Claim, at now: UnixInstant) -> Bool { claim.issuedAt <= issuedAt && counts(at: now) }

    /// One that is dated in the future, by more than clocks differ, would otherwise count until then.
    func counts(at now: UnixInstant) -> Bool {
        let age = writtenAt.duration(to: now)
        return age < Self.lifetime && age > .zero - Self.lifetime
    }
}
