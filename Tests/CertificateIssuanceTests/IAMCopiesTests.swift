import AWSClient
import CertificateIssuance
import PKI
import TestSupport
import Testing
import Timekeeping

@Suite("Copies in IAM") struct IAMCopiesTests {
    private let scene = CopyScene()

    @Test("A generation is uploaded once, and found when the call returns")
    func once() async throws {
        let copy = try await scene.copy()
        let copies = try scene.serverCertificates(path: "/cloudfront/app/")
        let made = try await copies.uploadOnce(copy, deadline: scene.deadline)
        #expect(made.name == copy.label.serverCertificateName && made.path == "/cloudfront/app/")
        #expect(made.arn == "arn:aws:iam::111122223333:server-certificate/cloudfront/app/\(made.name)")
        let stored = try #require(scene.iam.stored[made.name])
        #expect(stored.visibleAt <= scene.scene.clock.now && stored.body == copy.certificate.pem)
        #expect(try await copies.uploadOnce(copy, deadline: scene.deadline) == made && scene.iam.stored.count == 1)
    }

    @Test("An upload whose answer was lost is found again")
    func lostAnswer() async throws {
        let copy = try await scene.copy()
        scene.iam.loseUpload()
        let made = try await scene.serverCertificates().uploadOnce(copy, deadline: scene.deadline)
        #expect(Array(scene.iam.stored.keys) == [made.name])
        #expect(scene.iam.actions.filter { $0 == "UploadServerCertificate" }.count == 2)
    }

    @Test("Another certificate of the same name is left alone and told of, and so is a full account")
    func refused() async throws {
        let copy = try await scene.copy()
        let name = copy.label.serverCertificateName
        let other = try await scene.copy().certificate.pem
        scene.iam.change(name) { [now = scene.scene.clock.now] in
            $0 = .init(path: "/", body: other, visibleAt: now)
        }
        let taken = try await scene.scene.failure {
            _ = try await scene.serverCertificates().uploadOnce(copy, deadline: scene.deadline)
        }
        #expect(taken?.code == .importRefused && taken?.message.contains(name) == true)
        #expect(scene.iam.stored[name]?.body == other)
        scene.iam.change(name) { $0 = nil }
        scene.iam.fill()
        let full = try await scene.scene.failure {
            _ = try await scene.serverCertificates().uploadOnce(copy, deadline: scene.deadline)
        }
        #expect(full?.code == .importRefused && full?.message.contains("Service Quotas") == true)
    }

    @Test("What is in use is deleted when it is not any more, and else told of")
    func inUse() async throws {
        let copy = try await scene.copy()
        let copies = try scene.serverCertificates()
        let made = try await copies.uploadOnce(copy, deadline: scene.deadline)
        scene.iam.change(made.name) { $0?.isUsed = true }
        let deadline = scene.deadline
        let error = try await scene.scene.failure { try await copies.remove(copy.label, deadline: deadline) }
        #expect(error?.code == .inUse && scene.scene.clock.now <= deadline)
        #expect(error?.message.contains(made.name) == true && error?.message.contains("arn:aws:x") == true)
        scene.iam.change(made.name) { $0?.isUsed = false }
        for _ in 0..<2 { try await copies.remove(copy.label, deadline: scene.deadline) }
        #expect(scene.iam.stored.isEmpty)
    }
}
