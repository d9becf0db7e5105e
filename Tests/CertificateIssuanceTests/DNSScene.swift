import AWSClient
import CertificateIssuance
import Diagnostics
import HTTPTransport
import Logging
import TestSupport
import Timekeeping

/// A Route 53 with zones, and solvers that work there.
struct DNSScene {
    let clock: VirtualClock
    let dns: InMemoryRoute53

    init(
        zones: [(id: String, name: String)] = [("ZA", "a.example")], requestsPerSecond: Int? = nil,
        clock: VirtualClock = VirtualClock(), pageSize: Int = 2
    ) {
        self.clock = clock
        dns = InMemoryRoute53(clock: clock, requestsPerSecond: requestsPerSecond, pageSize: pageSize)
        for zone in zones { dns.addZone(zone.id, zone.name) }
    }

    var deadline: UnixInstant { clock.now.advanced(by: .seconds(900)) }

    func client(_ executor: any HTTPExecutor) throws -> AWSServiceClient {
        AWSServiceClient(
            configuration: try AWSConfiguration(region: "eu-west-1"), executor: executor,
            credentials: EnvironmentCredentials(environment: ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"]),
            clock: clock, logger: Logger(label: "silent", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// A solver of another process each time.
    func solver(
        zone: String? = nil, settings: SettingNames = .properties, patience: Duration = .seconds(300)
    ) throws -> Route53Solver {
        Route53Solver(
            route53: Route53(try client(dns)), hostedZoneID: zone, clock: clock, settings: settings,
            patience: patience)
    }

    func answers(_ domains: [String], account: String = "account") -> [ChallengeAnswer] {
        domains.enumerated().map { index, domain in
            ChallengeAnswer(
                domain: domain, token: "token-\(account)-\(index)",
                keyAuthorization: Redacted("token-\(account)-\(index).thumbprint"))
        }
    }

    func failure(of work: () async throws -> Void) async throws -> IssuanceError? {
        do {
            try await work()
            return nil
        } catch let error as IssuanceError {
            return error
        }
    }
}
