internal import FoundationEssentials
package import Timekeeping

extension ACM {
    /// What a listing tells.
    package struct Summary: Hashable, Sendable {
        package let arn: String
        /// `IMPORTED`, `AMAZON_ISSUED`, `PRIVATE`.
        package let type: String
        /// The first 100 of them.
        package let names: [String]
        /// `RSA_2048`, `EC_prime256v1` …, as ``Certificate/keyAlgorithm``; nil when it is not told.
        package let keyAlgorithm: String?
        package let notAfter: UnixInstant?
    }

    package struct Certificate: Hashable, Sendable {
        package let arn: String
        /// `IMPORTED`, `AMAZON_ISSUED`, `PRIVATE`.
        package let type: String
        /// `ISSUED`, `EXPIRED`, `REVOKED` …
        package let status: String
        package let names: [String]
        /// `RSA_2048`, `EC_prime256v1`, `EC_secp384r1` …
        package let keyAlgorithm: String
        package let notBefore: UnixInstant?
        package let notAfter: UnixInstant?
        /// ARNs.
        package let inUseBy: [String]
    }
}

// MARK: Documents, named as they are written and read

extension ACM {
    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct ImportRequest: Encodable {
        let Certificate: Data
        let PrivateKey: Data
        let CertificateChain: Data?
        let CertificateArn: String?
        let Tags: [Tag]?
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct ARN: Codable {
        let CertificateArn: String
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct ListRequest: Encodable {
        struct Filters: Encodable {
            let keyTypes = [
                "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
            ]
        }
        let Includes = Filters()
        let MaxItems = 1000
        let NextToken: String?
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Page: Decodable {
        struct Entry: Decodable {
            let CertificateArn: String
            let DomainName: String?
            let SubjectAlternativeNameSummaries: [String]?
            let `Type`: String?
            let KeyAlgorithm: String?
            let NotAfter: Double?
        }
        let CertificateSummaryList: [Entry]
        let NextToken: String?
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Description: Decodable {
        struct Detail: Decodable {
            let CertificateArn: String
            let DomainName: String?
            let SubjectAlternativeNames: [String]?
            let `Type`: String?
            let Status: String?
            let KeyAlgorithm: String?
            let NotBefore: Double?
            let NotAfter: Double?
            let InUseBy: [String]?
        }
        let Certificate: Detail
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Body: Decodable {
        let Certificate: String
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct TagList: Decodable {
        let Tags: [Tag]?
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct TagRequest: Encodable {
        let CertificateArn: String
        let Tags: [Tag]
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Tag: Codable {
        let Key: String
        let Value: String?

        static func list(_ tags: [String: String]) -> [Tag] {
            tags.sorted { $0.key < $1.key }.map { Tag(Key: $0, Value: $1) }
        }
    }
}

extension ACM.Summary {
    init(_ entry: ACM.Page.Entry) {
        self.init(
            arn: entry.CertificateArn, type: entry.Type ?? "",
            names: entry.SubjectAlternativeNameSummaries ?? entry.DomainName.map { [$0] } ?? [],
            keyAlgorithm: entry.KeyAlgorithm?.underscored, notAfter: entry.NotAfter.flatMap { UnixInstant(epoch: $0) })
    }
}

extension ACM.Certificate {
    init(_ detail: ACM.Description.Detail) {
        self.init(
            arn: detail.CertificateArn, type: detail.Type ?? "", status: detail.Status ?? "",
            names: detail.SubjectAlternativeNames ?? detail.DomainName.map { [$0] } ?? [],
            keyAlgorithm: (detail.KeyAlgorithm ?? "").underscored,
            notBefore: detail.NotBefore.flatMap { UnixInstant(epoch: $0) },
            notAfter: detail.NotAfter.flatMap { UnixInstant(epoch: $0) }, inUseBy: detail.InUseBy ?? [])
    }
}

extension String {
    /// DescribeCertificate writes `RSA-2048` where all else is `RSA_2048`.
    fileprivate var underscored: String { String(map { $0 == "-" ? "_" : $0 }) }
}

extension UnixInstant {
    /// Seconds since the epoch, as AWS JSON writes times.
    fileprivate init?(epoch seconds: Double) {
        guard let milliseconds = Int64(exactly: (seconds * 1000).rounded()) else { return nil }
        self.init(milliseconds: milliseconds)
    }
}
