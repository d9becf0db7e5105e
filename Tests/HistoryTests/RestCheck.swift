import ProviderTestSupport
import TestSupport

/// What has to be in the buckets when nothing is under way any more.
struct RestCheck {
    let model: StackModel

    private var world: World { model.world }
    private var live: [StackResource] { Array(model.resources.values) }
    private var root: String {
        world.resourceType == .letsEncrypt ? "lets-encrypt/" : "backend-certificate/"
    }

    func run() {
        world.ledger.checkHeld(after: "the end")
        for bucket in [TestProvider.certificateBucket, TestProvider.adoptedBucket] { checkBundles(in: bucket) }
        checkState()
        if let front = world.peers.front {
            checkChallenges(front)
            checkCopies(front)
        } else {
            for resource in live { checkStableCopy(of: resource) }
            if live.isEmpty { checkNoCopies() }
        }
    }

    /// Every live generation once, and no other.
    private func checkBundles(in bucket: String) {
        var count: [String: Int] = [:]
        for version in world.s3.storedVersions(bucket: bucket) where version.key.hasPrefix(root) {
            let id = "stackcert:1:\(bucket)/\(version.key)"
            if version.isDeleteMarker { report("\(version.key) is hidden, not deleted") }
            count[id, default: 0] += 1
        }
        for (id, number) in count {
            if number > 1 { report("\(id) has \(number) versions") }
            if live.contains(where: { $0.id == id }) { continue }
            if model.abandoned.contains(id) {
                world.coverage.countOrphan()
            } else {
                report("\(id) is nobody's")
            }
        }
        for resource in live where resource.id.hasPrefix("stackcert:1:\(bucket)/") && count[resource.id] == nil {
            report("\(resource.id) is live and has no bundle")
        }
    }

    /// One record and one action per live generation; of what is gone only tombstones.
    private func checkState() {
        var records: [String: Int] = [:]
        var actions: [String: Int] = [:]
        for key in world.s3.objects(bucket: TestProvider.stateBucket).keys {
            if key.hasPrefix("tombstones/") { continue }
            if key.hasSuffix("/adopted.json") || key.hasPrefix("adopted/") {
                let users = model.resources.filter(\.value.isAdopted).keys.map(StackModel.logicalID)
                if !users.contains(where: key.contains) { report("\(key) is of an adopted certificate that is gone") }
                continue
            }
            let generation =
                key.hasPrefix("records/")
                ? String(key.dropLast(".json".count).suffix(64)) : String(key.suffix(64))
            if key.hasPrefix("records/") {
                records[generation, default: 0] += 1
            } else {
                actions[generation, default: 0] += 1
            }
            let isKnown =
                live.contains { $0.id.hasSuffix("\(generation).json") }
                || model.abandoned.contains { $0.hasSuffix("\(generation).json") }
            // A marker without a record does no harm: the sweep removes it. Of an order that was killed its retry does not
            // know the dates, which are part of the marker's key.
            let isHarmless = world.resourceType == .letsEncrypt && key.hasPrefix("actions/")
            if !isKnown && !isHarmless { report("\(key) is nobody's") }
        }
        for resource in live where !resource.isAdopted {
            let generation = String(resource.id.dropLast(".json".count).suffix(64))
            if records[generation] != 1 || actions[generation] != 1 {
                report("\(resource.id) has \(records[generation] ?? 0) records, \(actions[generation] ?? 0) actions")
            }
        }
    }

    /// Where system A's templates look is what the stack has.
    private func checkStableCopy(of resource: StackResource) {
        let appName = resource.properties["AppName"] ?? ""
        let bucket = resource.properties["AppS3Bucket"] ?? ""
        // A failed update that is not rolled back leaves its copy: only the next update takes that away.
        guard resource.isAdopted || world.stableS3Key, resource.attempted == nil else { return }
        let current = world.s3.body(bucket: bucket, key: "backend-certificate-\(appName).json")
        if current == nil || current != world.ledger.held[resource.id]?.body {
            report("the stable key of \(appName) does not hold the bundle of \(resource.id)")
        }
    }

    private func checkNoCopies() {
        for bucket in [TestProvider.certificateBucket, TestProvider.adoptedBucket] {
            for version in world.s3.storedVersions(bucket: bucket) where !version.key.hasPrefix(root) {
                if model.abandoned.isEmpty { report("\(version.key) \(version.versionID) is nobody's") }
            }
        }
    }

    // MARK: Custom::LetsEncryptCertificate

    /// A TXT record that is still there is written down in an order book, so that the next order removes it.
    private func checkChallenges(_ front: InMemoryPeers.Front) {
        let books = world.s3.objects(bucket: TestProvider.certificateBucket)
            .filter { $0.key.hasPrefix("acme/orders/") }.map { String(decoding: $0.value, as: UTF8.self) }
        for value in front.dns.allTexts where !books.contains(where: { $0.has(value) }) {
            report("a TXT record is still there, and no order book tells of it")
        }
    }

    /// Every live generation has a copy in ACM, and no other has one.
    private func checkCopies(_ front: InMemoryPeers.Front) {
        let copied = Set(front.acm.stored.values.compactMap { $0.tags["stackcert:generation"] })
        for generation in copied {
            let isKnown =
                live.contains { $0.id.hasSuffix("\(generation).json") }
                || model.abandoned.contains { $0.hasSuffix("\(generation).json") }
            if !isKnown { report("a copy of \(generation) is still in ACM") }
        }
        for resource in live where !copied.contains(where: { resource.id.hasSuffix("\($0).json") }) {
            report("\(resource.id) is live and has no copy in ACM")
        }
    }

    private func report(_ detail: String) {
        world.ledger.report(.oneBundle, detail)
    }
}
