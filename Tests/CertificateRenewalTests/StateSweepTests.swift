import CertificateIssuance
import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// The weekly sweep mends what renewal needs, clears away what stands for nothing, and reports orphans.
@Suite struct StateSweepTests {
    private let scene = RenewalScene()

    private func shop(rotation: String = "1") async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.issue("shop", rotation: rotation)
    }

    private func shops(_ count: Int) async throws {
        for number in 0..<count {
            scene.add(RenewalScene.Stack(name: "shop-\(number)"))
            try await scene.issue("shop-\(number)")
        }
    }

    private func swept() async throws -> SweepReport { try #require(try await scene.sweepReport()) }

    @Test("Where all is well nothing is changed, and the report says what was seen")
    func allIsWell() async throws {
        try await shop()
        scene.clock.advance(by: .days(8))
        let before = scene.s3.objects(bucket: "state")
        let report = try await swept()
        #expect((report.tally.records, report.tally.bundles, report.tally.markers) == (1, 1, 1))
        #expect(report.tally.orphans == 0)
        var after = scene.s3.objects(bucket: "state")
        #expect(after.removeValue(forKey: "sweep/latest.json") != nil)
        #expect(after == before)
        #expect(try await scene.statuses().map(\.state) == [.valid])
    }

    @Test("A missing marker is written again, with the minute that it had")
    func missingMarker() async throws {
        try await shop()
        let marker = try #require(scene.markers.first)
        try await scene.delete(marker)
        let report = try await swept()
        #expect(report.tally.markersWritten == 1)
        #expect(scene.markers == [marker])
    }

    @Test("A missing record of a certificate in use is written again of the bundle's metadata, and its marker too")
    func missingRecord() async throws {
        try await shop()
        let before = try #require(try await scene.record("shop"))
        let markers = scene.markers
        for key in scene.records + markers { try await scene.delete(key) }
        scene.clock.advance(by: .days(2))
        let report = try await swept()
        #expect((report.tally.recordsWritten, report.tally.markersWritten) == (1, 1))
        #expect(scene.markers == markers)
        let after = try #require(try await scene.record("shop"))
        #expect(after.facts == before.facts)
        #expect(after.claim == before.claim)
        #expect(after.stackID == before.stackID)
        #expect(after.settings.rotationParameter == "CertificateRotation")
        // Whether there are copies is not known any more: a removal has to look.
        #expect(after.settings.stableS3Key)
    }

    @Test("A Let's Encrypt certificate that lost its record is looked after again, and renewed at its time")
    func letsEncrypt() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        let address = try await scene.putLetsEncryptBundle("shop")
        scene.clock.advance(by: .days(2))
        let report = try await swept()
        #expect((report.tally.bundles, report.tally.recordsWritten, report.tally.markersWritten) == (1, 1, 1))
        #expect(scene.records == [address.recordKey])
        // The marker is of its first hours, when the authority is asked for the first time.
        #expect(try await scene.run().lines.isEmpty)
        scene.clock.advance(by: .days(60))
        #expect(try await scene.run().lines.map(\.outcome.code) == [.started])
    }

    @Test("A Let's Encrypt certificate that no stack names is reported")
    func letsEncryptOrphan() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        let address = try await scene.putLetsEncryptBundle("shop", names: false)
        scene.clock.advance(by: .days(8))
        #expect(try await swept().orphans.map(\.key) == [address.key])
    }

    @Test("A record is not written for a bundle whose metadata names another owner")
    func foreignMetadata() async throws {
        try await shop()
        let (address, owner) = try scene.address("shop", rotation: "1")
        let (_, stranger) = try scene.address("other", rotation: "1")
        for key in scene.records { try await scene.delete(key) }
        try await scene.putBundle(at: address, of: stranger)
        scene.clock.advance(by: .days(8))
        let report = try await swept()
        #expect(report.tally.recordsWritten == 0)
        #expect(report.orphans.map(\.key) == [address.key])
        try await scene.putBundle(at: address, of: owner)
        scene.clock.advance(by: .days(8))
        #expect(try await swept().tally.recordsWritten == 1)
    }

    @Test("A bundle that was just made is not taken for one that lost its record")
    func youngBundle() async throws {
        try await shop()
        for key in scene.records { try await scene.delete(key) }
        scene.clock.advance(by: .seconds(3600))
        #expect(try await swept().tally.recordsWritten == 0)
        scene.clock.advance(by: .days(1))
        #expect(try await swept().tally.recordsWritten == 1)
    }

    @Test("A marker that points at nothing is removed when it is a day old, not before")
    func orphanedMarker() async throws {
        try await shop()
        let marker = try #require(scene.markers.first)
        for key in scene.records { try await scene.delete(key) }
        try await scene.deleteBundle("shop")
        #expect(try await swept().tally.markersRemoved == 0)
        #expect(scene.markers == [marker])
        scene.clock.advance(by: .days(2))
        #expect(try await swept().tally.markersRemoved == 1)
        #expect(scene.markers.isEmpty)
    }

    @Test("A record goes when its bundle is gone and its stack does not exist any more; either alone is not enough")
    func leftRecord() async throws {
        try await shop()
        try await scene.deleteBundle("shop")
        #expect(try await swept().tally.recordsRemoved == 0)
        #expect(scene.records.count == 1)
        scene.remove("shop")
        #expect(try await swept().tally.recordsRemoved == 1)
        #expect(scene.records.isEmpty)
    }

    @Test("A bundle whose stack is deleted is reported after a week, and never deleted")
    func deletedStack() async throws {
        try await shop()
        let key = try scene.bundleKey("shop")
        scene.remove("shop")
        scene.clock.advance(by: .days(6))
        #expect(try await swept().orphans.isEmpty)
        scene.clock.advance(by: .days(2))
        let report = try await swept()
        #expect(report.orphans.map(\.key) == [key])
        #expect(report.orphans.first?.line.contains("Its stack is deleted") == true)
        #expect(scene.s3.objects(bucket: "certificates").keys.contains(key))
        // Nothing is left that renewal would stumble over.
        #expect(scene.markers.isEmpty)
        let status = try #require(try await scene.statuses().first)
        #expect(status.state == .orphan)
        #expect(status.needsAttention)
        #expect(status.note?.contains("delete s3://certificates/\(key)") == true)
    }

    @Test("A bundle is reported when its stack's resource names another one")
    func replaced() async throws {
        try await shop()
        try await scene.issue("shop", rotation: "2")
        scene.clock.advance(by: .days(8))
        let report = try await swept()
        #expect(report.orphans.map(\.key) == [try scene.bundleKey("shop", rotation: "1")])
        #expect(report.orphans.first?.line.contains("names another certificate") == true)
        #expect(scene.markers.count == 1)
        #expect(Set(try await scene.statuses().map(\.state)) == [.valid, .orphan])
    }

    @Test("A bundle that a clean-up left because of a copy in use is reported with that copy")
    func replacedWithCopy() async throws {
        try await shop()
        let key = try scene.address("shop", rotation: "1").0.recordKey
        let record = try #require(scene.s3.objects(bucket: "state")[key])
        let copies = #","copies":{"certificateARN":"arn:aws:acm:us-east-1:111122223333:certificate/1"}}"#
        try await scene.write(String(decoding: record.dropLast(), as: UTF8.self) + copies, at: key)
        try await scene.issue("shop", rotation: "2")
        scene.clock.advance(by: .days(8))
        let orphans = try await swept().orphans
        #expect(orphans.count == 1)
        #expect(orphans.first?.line.contains("arn:aws:acm:us-east-1:111122223333:certificate/1") == true)
    }

    @Test(
        "While a stack is at work, or stuck half-way, its bundles are not judged",
        arguments: ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"])
    func atWork(_ status: String) async throws {
        try await shop()
        scene.change("shop") {
            $0.resources = [:]
            $0.status = status
        }
        scene.clock.advance(by: .days(8))
        let report = try await swept()
        #expect(report.orphans.isEmpty)
        #expect(report.tally.undecided == 1)
        scene.change("shop") { $0.status = "UPDATE_COMPLETE" }
        #expect(try await swept().orphans.count == 1)
    }

    @Test("A stack of another account is not judged: here it would seem not to exist")
    func anotherAccount() async throws {
        try await shop()
        let key = try #require(scene.records.first)
        let text = String(decoding: try #require(scene.s3.body(bucket: "state", key: key)), as: UTF8.self)
        try await scene.write(text.replacing("eu-west-1:111122223333", with: "eu-west-1:444455556666"), at: key)
        scene.clock.advance(by: .days(8))
        #expect(try await swept().orphans.isEmpty)
        #expect(!scene.calls.contains("ListStackResources"))
        try await scene.write(text, at: key)
        scene.remove("shop")
        #expect(try await swept().orphans.count == 1)
    }

    @Test("A bundle without a record whose stack is not to be found is reported, with what its metadata says")
    func unknownStack() async throws {
        try await shop()
        for key in scene.records { try await scene.delete(key) }
        scene.remove("shop")
        scene.clock.advance(by: .days(8))
        let orphan = try #require(try await swept().orphans.first)
        #expect(orphan.stackID == nil)
        #expect(orphan.stackGUID == "guid-shop")
        let status = try #require(try await scene.statuses().first)
        #expect((status.stackName, status.state, status.publicKey) == ("guid-shop", .orphan, "key-1"))
    }

    @Test("A record that cannot be read stops nothing")
    func damagedRecord() async throws {
        try await shop()
        try await scene.write("{", at: try #require(scene.records.first))
        scene.add(RenewalScene.Stack(name: "blog"))
        try await scene.issue("blog")
        let marker = try #require(scene.markers.first { $0.contains("guid-blog") })
        try await scene.delete(marker)
        let report = try await swept()
        #expect(report.tally.unreadable == 1)
        #expect(scene.markers.contains(marker))
    }

    @Test(
        "When time runs out the place is kept, and a later run goes on from there",
        arguments: [Duration.seconds(90), .seconds(170)])
    func interrupted(_ pageTime: Duration) async throws {
        try await shops(8)
        let clock = scene.clock
        scene.s3.onOperation { operation in
            if operation.name == "ListObjectsV2" { clock.advance(by: pageTime) }
            return nil
        }
        guard case .interrupted(let report) = try await scene.sweep(for: .seconds(200)) else {
            Issue.record("it was not interrupted")
            return
        }
        #expect(report.tally.records > 0 && report.tally.records < 8)
        #expect(scene.sweepNotes == ["sweep/progress.json"])
        scene.s3.onOperation(nil)
        guard case .complete(let whole) = try await scene.sweep(begins: false) else {
            Issue.record("it did not come to its end")
            return
        }
        #expect(whole.tally.records == 8)
        #expect(whole.startedAt == report.startedAt)
        #expect(scene.sweepNotes == ["sweep/latest.json"])
    }

    @Test("Nothing is lost of a page in whose middle time runs out")
    func interruptedInAPage() async throws {
        try await shops(3)
        let clock = scene.clock
        scene.s3.onOperation { operation in
            if operation.name == "GetObject" && operation.key.hasPrefix("records/") { clock.advance(by: .seconds(60)) }
            return nil
        }
        guard case .interrupted(let report) = try await scene.sweep(for: .seconds(200)) else {
            Issue.record("it was not interrupted")
            return
        }
        #expect(report.tally.records == 0)
        scene.s3.onOperation(nil)
        #expect(try await swept().tally.records == 3)
    }

    @Test("A run that only goes on begins nothing")
    func nothingToGoOnWith() async throws {
        try await shop()
        #expect(try await scene.sweep(begins: false) == .idle)
        #expect(scene.sweepNotes.isEmpty)
    }

    @Test("A sweep is overdue where none ever ended, and not again before eight days have passed")
    func overdue() async throws {
        try await shop()
        #expect(try await scene.isSweepOverdue())
        _ = try await swept()
        #expect(try await !scene.isSweepOverdue())
        scene.clock.advance(by: .days(8))
        #expect(try await !scene.isSweepOverdue())
        scene.clock.advance(by: .seconds(1))
        #expect(try await scene.isSweepOverdue())
        _ = try await swept()
        #expect(try await !scene.isSweepOverdue())
    }

    @Test("A sweep that was interrupted leaves it overdue, until one has come to its end")
    func overdueWhileUnderWay() async throws {
        try await shops(7)
        guard case .interrupted = try await scene.sweep(for: .seconds(30)) else {
            Issue.record("the sweep was not interrupted")
            return
        }
        #expect(try await scene.isSweepOverdue())
        _ = try await swept()
        #expect(try await !scene.isSweepOverdue())
    }

    @Test(
        "A damaged report makes a sweep overdue, one of a later version does not",
        arguments: [("{", true), (#"{"version": 2}"#, false)])
    func overdueByDamage(_ report: String, _ isOverdue: Bool) async throws {
        try await scene.write(report, at: "sweep/latest.json")
        #expect(try await scene.isSweepOverdue() == isOverdue)
    }

    @Test("Two runs at once do the work once")
    func twoRuns() async throws {
        try await shop()
        let scene = scene
        async let one = scene.sweep()
        async let other = scene.sweep()
        let endings = try await [one, other]
        #expect(endings.contains(.idle))
        #expect(endings.contains { if case .complete = $0 { true } else { false } })
    }

    @Test("Wherever a run is killed, the next one brings the sweep to its end")
    func killed() async throws {
        try await shop()
        try await scene.issue("shop", rotation: "2")
        scene.clock.advance(by: .days(8))
        let expected = [try scene.bundleKey("shop", rotation: "1")]
        var steps = 0
        scene.s3.forgetOperations()
        _ = try await scene.sweep()
        steps = scene.s3.operations.count
        #expect(steps > 10)
        for step in 1...steps {
            scene.s3.forgetOperations()
            scene.s3.onOperation { $0.ordinal >= step ? .answer(403) : nil }
            _ = try? await scene.sweep()
            scene.s3.onOperation(nil)
            // The lease of the run that was killed has to end.
            scene.clock.advance(by: .seconds(1001))
            let report = try #require(try await scene.sweepReport())
            #expect(report.orphans.map(\.key) == expected)
            #expect(scene.sweepNotes == ["sweep/latest.json"])
        }
    }
}
