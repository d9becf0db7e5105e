/// What people call the settings of an order where they make them, for messages that say what to change.
package struct SettingNames: Hashable, Sendable {
    /// A whole step, as in "add --agree-to-terms".
    let agreeToTerms: String
    let challenge: String
    let challengeBucket: String
    let directory: String
    let hostedZone: String
    let hostedZoneRole: String
    let profile: String

    /// Properties of `Custom::LetsEncryptCertificate`.
    package static let properties = SettingNames(
        agreeToTerms: "set TermsOfServiceAgreed to true", challenge: "Challenge",
        challengeBucket: "ChallengeBucket", directory: "Directory",
        hostedZone: "HostedZoneId", hostedZoneRole: "HostedZoneRoleArn", profile: "Profile")

    /// Options of `stackcert issue` and its companions.
    package static let options = SettingNames(
        agreeToTerms: "add --agree-to-terms", challenge: "--challenge",
        challengeBucket: "--challenge-bucket", directory: "--directory",
        hostedZone: "--hosted-zone-id", hostedZoneRole: "--hosted-zone-role-arn", profile: "--acme-profile")

    /// A setting with its value, as people write it.
    var staging: String { directory.hasPrefix("--") ? "\(directory) staging" : "\(directory): staging" }
}
