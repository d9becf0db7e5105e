internal import PKI
package import Timekeeping

/// Makes a key pair and the self-signed certificate that servers behind the load balancer show.
package struct SelfSignedIssuer: Sendable {
    private let clock: any WallClock

    package init(clock: any WallClock) {
        self.clock = clock
    }

    /// RFC 5280, 4.1.2.6 and appendix A: `ub-common-name`.
    private static let maximumCommonNameLength = 64

    package func issue(
        _ definition: CertificateDefinition, generation: Generation
    ) async throws -> CertificateBundle {
        let keyPair = try await KeyPair.generate(definition.keyAlgorithm)
        let wildcard = try DomainName(wildcardAllowed: "*.\(definition.appDomain)")
        let now = clock.now
        let profile = SelfSignedProfile(
            names: try definition.names,
            commonName: wildcard.description.utf8.count <= Self.maximumCommonNameLength ? wildcard.description : nil,
            // Servers whose clock is behind must not refuse a new certificate.
            notBefore: UnixInstant(seconds: now.advanced(by: .seconds(-3600)).seconds),
            notAfter: UnixInstant(seconds: now.advanced(by: .days(definition.validityDays)).seconds))
        return CertificateBundle(
            keyPair: keyPair, certificate: try keyPair.selfSigned(profile), appName: definition.appName,
            appDomain: definition.appDomain.description, generation: generation.description)
    }
}
