import ProviderTestSupport
import TestSupport
import Timekeeping

/// Plays a history's steps on the model, and checks what each leaves.
final class HistoryRunner {
    private let history: History
    private let world: World
    private let model: StackModel
    private var changes = 0

    init(_ history: History, world: World) {
        self.history = history
        self.world = world
        self.model = StackModel(world: world, history: history)
    }

    /// Plays a history on a world of its own and returns the rules that it broke.
    static func violations(
        of history: History, coverage: CoverageTable = CoverageTable(), sabotage: Sabotage? = nil
    ) async -> [Violation] {
        let world = World(history, coverage: coverage, sabotage: sabotage)
        await Task(executorPreference: world.executor) {
            await HistoryRunner(history, world: world).play()
        }.value
        return world.ledger.violations
    }

    private func play() async {
        if history.adopted { await SystemA.makeResources(history.adoption, in: model) }
        for step in history.steps {
            model.begin(step)
            switch step.action {
            case .create: await create()
            case .cancel: await cancel()
            case .update: await update()
            case .delete: await delete()
            case .replay:
                let back = step.back ?? 0
                guard back < model.sent.count else { continue }
                model.replay(model.sent[model.sent.count - 1 - back], overlaps: step.overlaps ?? false)
            }
        }
        await model.settle()
        RestCheck(model: model).run()
        LeakCheck(world: world).run()
    }

    private var properties: [String: String] {
        TemplateProperties.initial(history.resourceType, resource: model.step.resource, adopted: false)
    }

    private var resource: StackResource? {
        get { model.resources[model.step.resource] }
        set { model.resources[model.step.resource] = newValue }
    }

    // MARK: Adding and removing

    private func create() async {
        guard resource == nil else { return }
        let properties = properties
        switch await model.request(.create, properties: properties) {
        case .success(let id, let attributes):
            expect(id, from: properties)
            check(previousOf: attributes, is: nil)
            resource = StackResource(id: id, properties: properties, attributes: attributes)
            if let ending = model.step.ending, ending != .complete { await remove(as: .rollbackDelete) }
        case .failed(let id):
            // The Delete of a marker looks for nothing, so what a later delivery makes stays for the sweep.
            if id.hasPrefix("stackcert-nothing-stored-"), let id = expectedID(properties) { model.abandoned.insert(id) }
            await deleteUntilGone(.rollbackDelete, id: id, properties: properties)
        case .timedOut:
            await deleteUntilGone(.cancelDelete, id: inventedID, properties: properties)
        }
    }

    private var inventedID: String { "shop-\(StackModel.logicalID(model.step.resource))-1A2B3C4D5E6F" }

    /// CloudFormation does not wait for the Create any more when it sends the Delete.
    private func cancel() async {
        guard resource == nil else { return }
        let properties = properties
        let sent = model.makeEvent(.cancelledCreate, properties: properties)
        switch model.step.cancelled?.step {
        case nil:
            _ = await world.deliver(sent, delivery: 0)
            await deleteUntilGone(.cancelDelete, id: inventedID, properties: properties)
        case 0:
            await deleteUntilGone(.cancelDelete, id: inventedID, properties: properties)
            model.deliverLater(sent)
        case let step?:
            let stop = Stop(step: step, isHeld: model.step.cancelled?.isHeld ?? false)
            let world = world
            async let created = world.deliver(sent, delivery: 0, stop: stop)
            await stop.reached.wait()
            await deleteUntilGone(.cancelDelete, id: inventedID, properties: properties)
            stop.goesOn.give()
            model.retryLater(sent, after: await created)
            // What it stored after the Delete had looked, and could not remove itself, only the sweep finds.
            let isLeft = sent.trouble?.faults.contains { !$0.fault.isPassing } ?? false
            if isLeft, let id = expectedID(properties) { model.abandoned.insert(id) }
        }
        if sent.trouble?.duplicate != nil { model.replay(sent, overlaps: false) }
    }

    private func delete() async {
        guard let resource else { return }
        await remove(as: resource.isAdopted ? .adoptedDelete : .delete)
    }

    private func remove(as kind: EventKind) async {
        guard let removed = resource else { return }
        resource = nil
        await deleteUntilGone(kind, id: removed.id, properties: removed.properties)
    }

    /// Asks again when a Delete fails, as a user does who deletes the stack.
    private func deleteUntilGone(_ kind: EventKind, id: String, properties: [String: String]) async {
        world.ledger.release(id)
        for _ in 0..<5 {
            if case .success = await model.request(kind, properties: properties, id: id) { return }
        }
        world.ledger.report(.succeeds, "\(id) could not be deleted")
    }

    // MARK: Updating

    private func update() async {
        if resource == nil {
            // The troubles are meant for the update.
            let step = model.step
            model.begin(Step(action: .create, resource: step.resource, gap: step.gap))
            await create()
            model.begin(step)
        }
        guard let before = resource else { return }
        changes += 1
        let change = model.step.change ?? .nothing
        var after = TemplateProperties.change(change, of: before, history.resourceType, count: changes)
        if before.isAdopted, after["Rotation"] != nil { after["CacheBuster"] = before.properties["CacheBuster"] }
        let rotates = expectedID(after) != expectedID(before.properties)
        let kind: EventKind =
            before.isAdopted
            ? rotates ? .adoptedRotation : .adoptedUpdate
            : rotates ? .rotation : after == before.properties ? .sameUpdate : .settingUpdate
        let answer = await model.request(
            kind, properties: after, old: before.attempted ?? before.properties, id: before.id)
        switch answer {
        case .success(let id, let attributes):
            let updated = StackResource(
                id: id, properties: after, attributes: attributes,
                earlier: rotates ? before.properties : before.earlier)
            if !before.isAdopted || rotates { expect(id, from: after) }
            if before.attempted != nil { noteRemovedOrphans() }
            await finish(updated, before: before, rotates: rotates)
        case .failed, .timedOut:
            await recover(before, attempted: after)
        }
    }

    private func finish(_ updated: StackResource, before: StackResource, rotates: Bool) async {
        let ending = model.step.ending ?? .complete
        guard rotates else {
            check(updated, isIdenticalTo: before, what: "an update that rotates nothing")
            check(previousOf: updated.attributes, is: before.attributes["PreviousPublicKey"])
            resource = updated
            if ending == .rollbackUpdate || ending == .rollbackDelete {
                await rollBack(to: before, from: updated, previous: before.attributes["PreviousPublicKey"])
            }
            return
        }
        let trusts = updated.properties["TrustPrevious"] != "false"
        check(previousOf: updated.attributes, is: trusts ? before.attributes["PublicKey"] : nil)
        switch ending {
        case .complete, .noRollback:
            resource = updated
            await deleteUntilGone(
                before.isAdopted ? .adoptedDelete : .cleanup, id: before.id, properties: before.properties)
        case .rollbackUpdate:
            let trusts = before.properties["TrustPrevious"] != "false"
            await rollBack(to: before, from: updated, previous: trusts ? updated.attributes["PublicKey"] : nil)
            await deleteUntilGone(.rollbackDelete, id: updated.id, properties: updated.properties)
        case .rollbackDelete:
            await deleteUntilGone(.rollbackDelete, id: updated.id, properties: updated.properties)
        }
    }

    /// Sends the properties back until that succeeds, as `continue-update-rollback` does.
    private func rollBack(to before: StackResource, from updated: StackResource, previous: String?) async {
        let kind: EventKind = before.isAdopted ? .adoptedRollback : .rollback
        for _ in 0..<5 {
            let answer = await model.request(
                kind, properties: before.properties, old: updated.properties, id: updated.id)
            guard case .success(let id, let attributes) = answer else { continue }
            let restored = StackResource(
                id: id, properties: before.properties, attributes: attributes, earlier: before.earlier)
            check(restored, isIdenticalTo: before, what: "the rollback")
            checkBytes(of: restored)
            check(previousOf: attributes, is: previous)
            resource = restored
            return
        }
        world.ledger.report(.succeeds, "\(updated.id) could not be rolled back")
    }

    /// After an update that failed CloudFormation still has the old id.
    private func recover(_ before: StackResource, attempted: [String: String]) async {
        guard model.step.ending != .noRollback else {
            resource?.attempted = attempted
            if let id = expectedID(attempted), id != before.id, id != expectedID(before.properties) {
                model.abandoned.insert(id)
                if world.hasBundle(id) { model.hadBundle.insert(id) }
            }
            return
        }
        for _ in 0..<5 {
            let answer = await model.request(
                .recovery, properties: before.properties, old: attempted, id: before.id)
            guard case .success(let id, let attributes) = answer else { continue }
            // A rollback that could not remove what the update left succeeds nevertheless.
            if model.sent.last?.mustSucceed == false, let id = expectedID(attempted), id != before.id {
                model.abandoned.insert(id)
            }
            let restored = StackResource(
                id: id, properties: before.properties, attributes: attributes, earlier: before.earlier)
            check(restored, isIdenticalTo: before, what: "the rollback of a failed update")
            checkBytes(of: restored)
            resource = restored
            return
        }
        world.ledger.report(.succeeds, "\(before.id) could not be rolled back")
    }

    /// An update that succeeds removes what the failed one before it left (case 8).
    private func noteRemovedOrphans() {
        for id in model.abandoned where id != resource?.id {
            if model.hadBundle.contains(id) { world.coverage.countOrphanRemoved() }
        }
        model.abandoned.removeAll()
        model.hadBundle.removeAll()
    }

    // MARK: Rules

    private func expectedID(_ properties: [String: String]) -> String? {
        TemplateProperties.physicalID(
            properties, history.resourceType, logicalID: StackModel.logicalID(model.step.resource))
    }

    private func expect(_ id: String, from properties: [String: String]) {
        guard id != expectedID(properties) else { return }
        world.ledger.report(.rightID, "\(id) is not what the properties define")
    }

    private func check(_ after: StackResource, isIdenticalTo before: StackResource, what: String) {
        if after.id != before.id { world.ledger.report(.identicalAfterRollback, "\(what) changed the id") }
        let changed = before.identity.filter { after.attributes[$0.key] != $0.value }.keys.sorted()
        guard !changed.isEmpty else { return }
        world.ledger.report(.identicalAfterRollback, "\(what) changed \(changed)")
    }

    /// After a rollback servers find the old bytes, under the key that was answered and where system A's templates look.
    private func checkBytes(of restored: StackResource) {
        let bucket = restored.properties["AppS3Bucket"] ?? ""
        let stable = "backend-certificate-\(restored.properties["AppName"] ?? "").json"
        let keys = [restored.attributes["CertificateS3Key"]] + (history.stableS3Key ? [stable] : [])
        for key in keys.compactMap({ $0 }) {
            let body = world.s3.body(bucket: bucket, key: key)
            guard body == nil || body != world.ledger.held[restored.id]?.body else { continue }
            world.ledger.report(.identicalAfterRollback, "\(key) does not hold the bundle of \(restored.id)")
        }
    }

    /// - Parameter expected: nil when the previous key has to be nobody's.
    private func check(previousOf attributes: [String: String], is expected: String?) {
        // Browsers trust the CA, not the key.
        guard history.resourceType == .elbBackend else { return }
        let previous = attributes["PreviousPublicKey"]
        if let expected {
            guard previous != expected else { return }
            world.ledger.report(.previousKey, "another PreviousPublicKey than expected")
        } else if let previous, world.ledger.publicKeys.contains(previous) {
            world.ledger.report(.previousKey, "PreviousPublicKey is a key that servers have")
        }
    }
}
