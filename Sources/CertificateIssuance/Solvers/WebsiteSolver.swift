package import AWSClient
internal import Diagnostics
package import Timekeeping

/// Answers `http-01` (RFC 8555, section 8.3) with objects of a bucket that is served as a website under the names.
package struct WebsiteSolver: ChallengeSolver {
    private let s3: S3
    private let bucket: String
    private let settings: SettingNames

    /// - Parameters:
    ///   - bucket: its website, or what stands in front of it, answers for every name on port 80.
    ///   - settings: what messages call the bucket.
    package init(s3: S3, bucket: String, settings: SettingNames) {
        self.s3 = s3
        self.bucket = bucket
        self.settings = settings
    }

    package var challengeType: String { "http-01" }

    /// Objects can have any name.
    package func checkPlaces(for domains: Set<String>, deadline: UnixInstant) async throws {}

    package func placements(
        for answers: [ChallengeAnswer], deadline: UnixInstant
    ) async throws -> [ChallengePlacement] {
        try answers.map { answer in
            // It comes from the CA and becomes part of a key.
            guard answer.token.isChallengeToken else {
                throw IssuanceError(
                    .invalidChallenge,
                    "The CA's token for \(answer.domain) is none: only letters, digits, - and _ are allowed.")
            }
            return ChallengePlacement(
                domain: answer.domain, token: answer.token, container: bucket,
                name: ".well-known/acme-challenge/\(answer.token)", value: answer.keyAuthorization.exposed)
        }
    }

    package func present(
        _ placements: [ChallengePlacement], deadline: UnixInstant
    ) async throws -> [ChallengePlacement] {
        for placement in placements {
            do {
                _ = try await s3.putObject(
                    bucket: placement.container, key: placement.name, body: Array(placement.value.utf8),
                    contentType: "text/plain", deadline: deadline)
            } catch let error as AWSError where error.code == .noSuchBucket {
                throw IssuanceError(
                    .noPlaceForAnswer,
                    "The bucket \(placement.container) does not exist: set \(settings.challengeBucket) to the website "
                        + "bucket that answers for \(placement.domain).", cause: error)
            }
        }
        return placements
    }

    package func cleanUp(_ placements: [ChallengePlacement], deadline: UnixInstant) async throws {
        try await eachOf(placements) { placement in
            // Nothing stands in a bucket that is not there.
            _ = try await unlessAbsent {
                try await s3.deleteObject(bucket: placement.container, key: placement.name, deadline: deadline)
            }
        }
    }
}

/// Goes on after a failure, and throws the first one at the end: what can be cleaned up is.
func eachOf<Item>(_ items: some Sequence<Item>, _ work: (Item) async throws -> Void) async throws {
    var failure: (any Error)?
    for item in items {
        do {
            try await work(item)
        } catch {
            failure = failure ?? error
        }
    }
    if let failure { throw failure }
}

extension String {
    /// Base64url without padding, long enough to be unguessable but no longer than a file name.
    fileprivate var isChallengeToken: Bool {
        (1...128).contains(utf8.count)
            && utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }
}
