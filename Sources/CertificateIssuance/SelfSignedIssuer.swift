internal import PKI
package import Timekeeping

/// Makes a key pair and the self-signed certificate that servers behind the load balancer show.
package struct SelfSignedIssuer: Sendable {
    private let clock: any WallClock

    package init(clock: any WallClock) {
        self.clock = clock
    }

    package func issue(
        _ definition: CertificateDefinition, generation: Generation
    ) async throws -> CertificateBundle {
        let keyPair = try await KeyPair.generate(definition.keyAlgorithm)
        let now = clock.now
        let profile = SelfSignedProfile(
            names: try definition.names,
            commonName: commonName(definition, generation),
            // Servers whose clock is behind must not refuse a new certificate.
            notBefore: UnixInstant(seconds: now.advanced(by: .seconds(-3600)).seconds),
            notAfter: UnixInstant(seconds: now.advanced(by: .days(definition.validityDays)).seconds))
        return CertificateBundle(
            keyPair: keyPair, certificate: try keyPair.selfSigned(profile), appName: definition.appName,
            appDomain: definition.appDomain.description, generation: generation.description)
    }

    /// The longest of the certificate's own names that fits, else a name of the generation: subject and issuer must not be
    /// empty, or clients such as curl and Java cannot read the certificate. Which server it is for, the subject alternative
    /// names say.
    private func commonName(_ definition: CertificateDefinition, _ generation: Generation) -> String {
        let domain = definition.appDomain.description
        return ["*.\(domain)", domain].first { $0.utf8.count <= SelfSignedProfile.maximumCommonNameLength }
            ?? "stackcert \(generation.description.prefix(32))"
    }
}
