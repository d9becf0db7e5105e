import AWSClient
import CertificateIssuance
import PKI
import TestSupport
import Testing
import Timekeeping

@Suite("Copies in ACM") struct ACMCopiesTests {
    private let scene = CopyScene()

    @Test("A generation is imported once, with its label, however often it is asked for")
    func once() async throws {
        let copy = try await scene.copy()
        let arn = try await scene.copies().importOnce(copy, deadline: scene.deadline)
        #expect(try await scene.copies().importOnce(copy, deadline: scene.deadline) == arn)
        #expect(try await scene.copies().importOnce(copy, knownARN: arn, deadline: scene.deadline) == arn)
        let stored = try #require(scene.acm.stored[arn])
        #expect(scene.acm.stored.count == 1 && stored.certificate == copy.certificate)
        #expect(
            stored.tags == [
                "stackcert:generation": copy.label.generation.description, "stackcert:stack": copy.label.owner.stackID,
                "stackcert:resource": "Certificate", "Name": "app",
            ])
    }

    @Test("A copy that is remembered is not looked for, and one that is gone is made again")
    func remembered() async throws {
        let copy = try await scene.copy()
        let arn = try await scene.copies().importOnce(copy, deadline: scene.deadline)
        scene.acm.plan(nil)
        _ = try await scene.copies().importOnce(copy, knownARN: arn, deadline: scene.deadline)
        #expect(scene.acm.operations == ["GetCertificate"])
        scene.acm.forget(arn)
        let another = try await scene.copies().importOnce(copy, knownARN: arn, deadline: scene.deadline)
        #expect(another != arn && Array(scene.acm.stored.keys) == [another])
    }

    @Test("Generations with the same names have their own copies, and only theirs are deleted")
    func generations() async throws {
        let old = try await scene.copy("1")
        let new = try await scene.copy("2")
        let copies = try scene.copies()
        let first = try await copies.importOnce(old, deadline: scene.deadline)
        let second = try await copies.importOnce(new, deadline: scene.deadline)
        #expect(first != second)
        try await copies.remove(old.label, names: old.certificate.names, knownARN: first, deadline: scene.deadline)
        #expect(Array(scene.acm.stored.keys) == [second])
        // What is remembered may be wrong: the label decides.
        try await copies.remove(old.label, names: old.certificate.names, knownARN: second, deadline: scene.deadline)
        #expect(Array(scene.acm.stored.keys) == [second])
        try await copies.remove(new.label, names: nil, deadline: scene.deadline)
        try await copies.remove(new.label, names: nil, deadline: scene.deadline)
        #expect(scene.acm.stored.isEmpty)
    }

    @Test("Killed at any step, the next call leaves one copy, and the removal none")
    func killed() async throws {
        var steps = 0
        for isCarriedOut in [false, true] {
            for step in 1...10 {
                let scene = CopyScene()
                let copy = try await scene.copy()
                scene.acm.plan { _, ordinal in ordinal == step ? isCarriedOut ? .killAfterwards : .kill : nil }
                if (try? await scene.copies().importOnce(copy, deadline: scene.deadline)) != nil { break }
                steps += 1
                scene.acm.plan(nil)
                _ = try await scene.copies().importOnce(copy, deadline: scene.deadline)
                #expect(scene.acm.stored.count == 1, "step \(step)")
                try await scene.copies().remove(
                    copy.label, names: copy.certificate.names, deadline: scene.deadline)
                #expect(scene.acm.stored.isEmpty)
            }
        }
        #expect(steps >= 4)
    }

    @Test("Two copies, made when an answer was lost, are both deleted")
    func lostAnswer() async throws {
        let copy = try await scene.copy()
        scene.acm.plan { operation, ordinal in operation == "ImportCertificate" && ordinal == 2 ? .loseAnswer : nil }
        _ = try await scene.copies().importOnce(copy, deadline: scene.deadline)
        #expect(scene.acm.stored.count == 2)
        try await scene.copies().remove(copy.label, names: copy.certificate.names, deadline: scene.deadline)
        #expect(scene.acm.stored.isEmpty)
    }

    @Test("What is in use is deleted when it is not any more, and else told of with its users")
    func inUse() async throws {
        let copy = try await scene.copy()
        let arn = try await scene.copies().importOnce(copy, deadline: scene.deadline)
        scene.acm.change(arn) { $0.users = ["arn:aws:elasticloadbalancing:listener/x"] }
        let deadline = scene.deadline
        let error = try await scene.scene.failure {
            try await scene.copies().remove(copy.label, names: copy.certificate.names, deadline: deadline)
        }
        #expect(error?.code == .inUse && scene.scene.clock.now <= deadline)
        #expect(error?.message.contains(arn) == true && error?.message.contains("listener/x") == true)
        scene.acm.plan { [acm = scene.acm] _, ordinal in
            if ordinal == 8 { acm.change(arn) { $0.users = [] } }
            return nil
        }
        try await scene.copies().remove(copy.label, names: copy.certificate.names, deadline: scene.deadline)
        #expect(scene.acm.stored.isEmpty)
    }

    @Test("A certificate that has run out is not sent, and a full account told what to do")
    func refused() async throws {
        let expired = try await scene.copy(days: 1)
        scene.scene.clock.advance(by: .days(2))
        let error = try await scene.scene.failure {
            _ = try await scene.copies().importOnce(expired, deadline: scene.deadline)
        }
        #expect(error?.code == .expired && !scene.acm.operations.contains("ImportCertificate"))
        scene.acm.plan { operation, _ in operation == "ImportCertificate" ? .refuse("LimitExceededException") : nil }
        let copy = try await scene.copy()
        let full = try await scene.scene.failure {
            _ = try await scene.copies().importOnce(copy, deadline: scene.deadline)
        }
        #expect(full?.code == .importRefused && full?.message.contains("StableCertificateArn") == true)
    }

    @Test("One ARN gets one generation's certificate after the other, and keeps its tags and users")
    func stable() async throws {
        let first = try await scene.copy("1")
        let arn = try await scene.copies().importOnce(first, deadline: scene.deadline)
        scene.acm.change(arn) {
            $0.tags = ["theirs": "x"]
            $0.users = ["arn:aws:elasticloadbalancing:listener/x"]
        }
        let second = try await scene.copy("2")
        try await scene.copies().checkReplaceable(arn, by: .ecP256, deadline: scene.deadline)
        #expect(scene.acm.stored[arn]?.certificate == first.certificate)
        scene.acm.plan(nil)
        for _ in 0..<2 { try await scene.copies().replace(arn, by: second, deadline: scene.deadline) }
        #expect(scene.acm.operations.filter { $0 == "ImportCertificate" }.count == 1)
        let stored = try #require(scene.acm.stored[arn])
        #expect(stored.certificate == second.certificate && stored.tags["theirs"] == "x" && !stored.users.isEmpty)
        // It is found by the generation that it shows, should no record tell of it.
        #expect(stored.tags["stackcert:generation"] == second.label.generation.description)
    }

    @Test("One ARN goes back to what was before, unless that ran out or the ARN is gone")
    func restored() async throws {
        let (first, second) = (try await scene.copy("1", days: 1), try await scene.copy("2"))
        let arn = try await scene.copies().importOnce(first, deadline: scene.deadline)
        try await scene.copies().replace(arn, by: second, deadline: scene.deadline)
        #expect(try await scene.copies().restore(arn, to: first, deadline: scene.deadline))
        #expect(scene.acm.stored[arn]?.certificate == first.certificate)
        try await scene.copies().replace(arn, by: second, deadline: scene.deadline)
        scene.scene.clock.advance(by: .days(2))
        #expect(try await !scene.copies().restore(arn, to: first, deadline: scene.deadline))
        #expect(scene.acm.stored[arn]?.certificate == second.certificate)
        scene.acm.forget(arn)
        #expect(try await !scene.copies().restore(arn, to: second, deadline: scene.deadline))
    }

    @Test("An ARN in whose place a certificate cannot be put is told of before anything is issued")
    func notReplaceable() async throws {
        let copy = try await scene.copy()
        let arn = try await scene.copies().importOnce(copy, deadline: scene.deadline)
        let cases: [(arn: String, algorithm: KeyAlgorithm, words: [String])] = [
            (arn, .rsa2048, [arn, "EC_prime256v1", "KeyAlgorithm", "RSA_2048"]),
            (arn, .ecP384, ["EC_prime256v1", "EC_P384"]), ("x", .ecP256, ["no"]),
            ("arn:aws:acm:us-east-1:1:certificate/1", .ecP256, ["us-east-1", "eu-west-1", "ImportRegion"]),
            (arn + "9", .ecP256, ["There is no certificate"]),
        ]
        for (arn, algorithm, words) in cases {
            let error = try await scene.scene.failure {
                try await scene.copies().checkReplaceable(arn, by: algorithm, deadline: scene.deadline)
            }
            #expect(error?.code == .importRefused)
            for word in words { #expect(error?.message.contains(word) == true, "\(error?.message ?? word)") }
        }
        scene.acm.change(arn) { $0.type = "AMAZON_ISSUED" }
        let error = try await scene.scene.failure {
            try await scene.copies().replace(arn, by: copy, deadline: scene.deadline)
        }
        #expect(error?.message.contains("AMAZON_ISSUED") == true)
    }

    @Test("CloudFront's copies are made in its region")
    func region() async throws {
        let scene = CopyScene(region: "us-east-1")
        let arn = try await scene.copies(region: "us-east-1").importOnce(
            try await scene.copy(), deadline: scene.deadline)
        #expect(arn.hasPrefix("arn:aws:acm:us-east-1:"))
    }
}
