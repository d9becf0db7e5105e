import AWSClient
import CertificateIssuance
import Diagnostics
import TestSupport
import Testing

@Suite("Answers to http-01 in a bucket") struct WebsiteSolverTests {
    private let scene = DNSScene()

    private func make(
        _ bucket: String = "website", settings: SettingNames = .properties
    ) throws -> (WebsiteSolver, InMemoryS3) {
        let s3 = InMemoryS3(clock: scene.clock)
        s3.createBucket("website")
        let client = S3(try scene.client(s3), expectedBucketOwner: nil)
        return (WebsiteSolver(s3: client, bucket: bucket, settings: settings), s3)
    }

    @Test("The key authorization is put where a validator looks for it, as text, and removed")
    func presented() async throws {
        let (solver, s3) = try make()
        #expect(solver.challengeType == "http-01")
        let placements = try await solver.placements(
            for: scene.answers(["a.example", "b.example"]), deadline: scene.deadline)
        #expect(s3.operations.isEmpty)
        #expect(try await solver.present(placements, deadline: scene.deadline) == placements)
        let key = ".well-known/acme-challenge/token-account-0"
        #expect(s3.body(bucket: "website", key: key) == Array("token-account-0.thumbprint".utf8))
        #expect(s3.objects(bucket: "website").count == 2)
        for _ in 0..<2 {
            try await solver.cleanUp(placements, deadline: scene.deadline)
            #expect(s3.objects(bucket: "website").isEmpty)
        }
    }

    @Test(
        "A bucket that does not exist is told by the setting that names it",
        arguments: [(SettingNames.properties, "ChallengeBucket"), (.options, "--challenge-bucket")])
    func noBucket(settings: SettingNames, name: String) async throws {
        let (solver, _) = try make("nowhere", settings: settings)
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: scene.deadline)
        let error = try await scene.failure {
            _ = try await solver.present(placements, deadline: scene.deadline)
        }
        #expect(error?.code == .noPlaceForAnswer)
        #expect(
            error?.message
                == "The bucket nowhere does not exist: set \(name) to the website bucket that answers for a.example.")
        try await solver.cleanUp(placements, deadline: scene.deadline)
    }

    @Test("One that cannot be removed does not keep the others from it, and is told of")
    func cleanUp() async throws {
        let (solver, s3) = try make()
        let placements = try await solver.placements(
            for: scene.answers(["a.example", "b.example", "c.example"]), deadline: scene.deadline)
        _ = try await solver.present(placements, deadline: scene.deadline)
        s3.onOperation { $0.key.hasSuffix("account-1") ? .answer(403) : nil }
        await #expect(throws: AWSError.self) { try await solver.cleanUp(placements, deadline: scene.deadline) }
        #expect(s3.objects(bucket: "website").keys.map { $0 } == [".well-known/acme-challenge/token-account-1"])
    }

    @Test(
        "A token that is none becomes no key",
        arguments: ["", "../index.html", "a/b", "a.b", "ä", "a b", "a\n", "a?b", String(repeating: "a", count: 129)])
    func token(text: String) async throws {
        let (solver, s3) = try make()
        let answer = ChallengeAnswer(domain: "a.example", token: text, keyAuthorization: Redacted("x"))
        let error = try await scene.failure {
            _ = try await solver.placements(for: [answer], deadline: scene.deadline)
        }
        #expect(error?.code == .invalidChallenge && s3.operations.isEmpty)
        #expect(
            error?.message.contains("a.example") == true && (text.count < 3 || error?.message.contains(text) == false))
    }
}
