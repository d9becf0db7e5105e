import AWSClient
import ArgumentParser
import CertificateAgent
import CertificateIssuance
import PKI

/// How control of the names is proven.
struct ChallengeOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case dns = "dns-01"
        case http = "http-01"
    }

    @Option(help: "dns-01 writes TXT records in Route 53, http-01 objects in a website bucket.")
    var challenge = Kind.dns

    @Option(name: .customLong("hosted-zone-id"), help: "The zone for the records. Default: found by the names.")
    var hostedZoneID: String?

    @Option(
        name: .customLong("hosted-zone-role-arn"),
        help: "A role to assume for the zones, when another account has them.")
    var hostedZoneRoleARN: String?

    @Option(name: .customLong("challenge-bucket"), help: "The website bucket for http-01.")
    var bucket: String?

    func validate() throws {
        switch challenge {
        case .dns where bucket != nil: throw ValidationError("--challenge-bucket goes with --challenge http-01 only.")
        case .http where bucket == nil: throw ValidationError("--challenge http-01 needs --challenge-bucket.")
        case .http where hostedZoneID != nil || hostedZoneRoleARN != nil:
            throw ValidationError("--hosted-zone-id and --hosted-zone-role-arn go with --challenge dns-01 only.")
        default: break
        }
    }

    /// - Throws: `AgentError` for a name that no challenge of this kind can prove.
    func check(_ names: [SubjectAlternativeName]) throws {
        for name in names {
            switch (name, challenge) {
            case (.ip(let address), .dns):
                throw AgentError(.usage, "dns-01 cannot prove the IP address \(address): use --challenge http-01.")
            case (.dns(let domain), .http) where domain.description.hasPrefix("*."):
                throw AgentError(.usage, "http-01 cannot prove the wildcard \(domain): use --challenge dns-01.")
            default: break
            }
        }
    }

    func solver(_ connection: AWSConnection) throws -> any ChallengeSolver {
        if let bucket {
            return WebsiteSolver(
                s3: S3(connection.client, expectedBucketOwner: nil), bucket: bucket, settings: .options)
        }
        return Route53Solver(
            client: connection.client, hostedZoneID: hostedZoneID, roleARN: hostedZoneRoleARN, clock: connection.clock,
            settings: .options)
    }
}
