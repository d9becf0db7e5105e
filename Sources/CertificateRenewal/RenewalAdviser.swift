package import ACME
internal import CertificateIssuance
internal import Synchronization
package import Timekeeping

/// Asks certificate authorities when they want their certificates renewed.
package protocol RenewalAdviser: Sendable {
    /// - Returns: nil when the authority has nothing to say.
    func renewalInfo(
        of certificate: CertificateID, at directory: ResourceURL, deadline: UnixInstant
    ) async throws -> RenewalInfo?
}

/// Over the network. Each directory is read once.
package final class ACMERenewalAdviser: RenewalAdviser {
    private let transport: ACMETransport
    private let servers = Mutex<[ResourceURL: ACMEServer]>([:])

    package init(transport: ACMETransport) {
        self.transport = transport
    }

    package func renewalInfo(
        of certificate: CertificateID, at directory: ResourceURL, deadline: UnixInstant
    ) async throws -> RenewalInfo? {
        try await server(directory, deadline: deadline).renewalInfo(of: certificate, deadline: deadline)
    }

    private func server(_ directory: ResourceURL, deadline: UnixInstant) async throws -> ACMEServer {
        if let known = servers.withLock({ $0[directory] }) { return known }
        let server = try await ACMEServer.discover(directory, over: transport, deadline: deadline)
        servers.withLock { $0[directory] = server }
        return server
    }
}
