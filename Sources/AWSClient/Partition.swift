/// A part of AWS with its own accounts and its own domain.
package struct Partition: Hashable, Sendable {
    /// The second field of every ARN: `aws`, `aws-cn`, `aws-us-gov` …
    package let name: String
    /// What the host names of its services end in.
    package let dnsSuffix: String
    /// The region in the signatures of services that have no region of their own.
    package let globalRegion: String

    /// The partition that a region belongs to, by the region's prefix; a region that is not known yet is one of `aws`.
    ///
    /// Source: botocore, `partitions.json`.
    package init(region: String) {
        let match = Partition.byPrefix.first { region.hasPrefix($0.prefix) }
        self = match?.partition ?? Partition(name: "aws", dnsSuffix: "amazonaws.com", globalRegion: "us-east-1")
    }

    private init(name: String, dnsSuffix: String, globalRegion: String) {
        self.name = name
        self.dnsSuffix = dnsSuffix
        self.globalRegion = globalRegion
    }

    /// Where a global service has its one endpoint: what the host's name begins with, and the region in signatures.
    ///
    /// Source: botocore, `endpoint-rule-set-1.json` of these services.
    func home(of service: AWSService) -> (host: String, region: String) {
        switch (service, name) {
        case (_, "aws-us-gov"): ("\(service.signingName).us-gov", globalRegion)
        case (.iam, "aws-cn"): ("iam.cn-north-1", "cn-north-1")
        case (.iam, "aws"), (.route53, _): (service.signingName, globalRegion)
        default: ("\(service.signingName).\(globalRegion)", globalRegion)
        }
    }

    private static let byPrefix: [(prefix: String, partition: Partition)] = [
        ("cn-", Partition(name: "aws-cn", dnsSuffix: "amazonaws.com.cn", globalRegion: "cn-northwest-1")),
        ("us-gov-", Partition(name: "aws-us-gov", dnsSuffix: "amazonaws.com", globalRegion: "us-gov-west-1")),
        ("us-iso-", Partition(name: "aws-iso", dnsSuffix: "c2s.ic.gov", globalRegion: "us-iso-east-1")),
        ("us-isob-", Partition(name: "aws-iso-b", dnsSuffix: "sc2s.sgov.gov", globalRegion: "us-isob-east-1")),
        ("eu-isoe-", Partition(name: "aws-iso-e", dnsSuffix: "cloud.adc-e.uk", globalRegion: "eu-isoe-west-1")),
        ("us-isof-", Partition(name: "aws-iso-f", dnsSuffix: "csp.hci.ic.gov", globalRegion: "us-isof-south-1")),
        ("eusc-", Partition(name: "aws-eusc", dnsSuffix: "amazonaws.eu", globalRegion: "eusc-de-east-1")),
    ]
}
