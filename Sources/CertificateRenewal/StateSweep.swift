internal import AWSClient
package import CertificateIssuance
internal import Diagnostics
package import Logging
package import Timekeeping

/// Goes through everything that is known of certificates, once a week: mends what renewal needs, clears away what stands
/// for nothing, and reports bundles that no stack names. It never deletes a bundle.
///
/// Reading order: this file goes from page to page, and keeps in mind where it is; `+Records`, `+Bundles` and `+Markers`
/// look at one page each.
package struct StateSweep: Sendable {
    let environment: RenewalEnvironment
    let bundles: BundleListing
    /// `arn:aws:cloudformation:eu-west-1:111122223333:stack/`: what begins otherwise cannot be seen from here.
    let home: String
    private let pageLength: Int

    /// What is younger may still be being made.
    static let grace: Duration = .days(1)
    /// A bundle that nobody names is reported when it is older.
    static let orphanAge: Duration = .days(7)
    /// With less time than that no page is begun.
    private static let pageTime: Duration = .seconds(60)
    /// Kept back for writing down how far it came.
    private static let reserve: Duration = .seconds(20)

    /// How a run ended.
    package enum Ending: Hashable, Sendable {
        /// There was nothing to go on with, or another run is at it.
        case idle
        /// Time ran out: the next run goes on.
        case interrupted(SweepReport)
        case complete(SweepReport)
    }

    /// - Parameter pageLength: how many objects are gone through before it is written down: 1,000 at most.
    package init(_ environment: RenewalEnvironment, bundles: BundleListing, home: String, pageLength: Int = 200) {
        self.pageLength = pageLength
        self.environment = environment
        self.bundles = bundles
        self.home = home
    }

    var state: StateBucket { environment.state }
    var now: UnixInstant { environment.clock.now }

    /// - Parameters:
    ///   - begins: whether to begin a sweep when none is under way.
    ///   - deadline: when the run has to be over.
    /// - Throws: `AWSError`; what was gone through until then is written down.
    package func run(begins: Bool, until deadline: UnixInstant, logger: Logger) async throws -> Ending {
        let existing = try await existingProgress(deadline: deadline, logger: logger)
        guard existing != nil || begins else { return .idle }
        var progress = existing?.document ?? SweepProgress(startedAt: now)
        guard !progress.isLeased(at: now) else { return .idle }
        progress.leaseEnds = now.advanced(by: environment.lease)
        var etag = existing?.etag
        let isTaken = try await unlessPreconditionFails {
            etag = try await state.write(
                progress, at: SweepProgress.key, ifNoneMatch: existing == nil, ifMatch: etag, deadline: deadline)
        }
        guard isTaken else { return .idle }
        let end = deadline.advanced(by: .zero - Self.reserve)
        while !progress.isAtEnd {
            guard now.advanced(by: Self.pageTime) < deadline,
                let page = try await unlessTimeRunsOut({ try await page(of: progress, deadline: end, logger: logger) })
            else {
                progress.leaseEnds = now
                _ = try await unlessPreconditionFails {
                    try await state.write(progress, at: SweepProgress.key, ifMatch: etag, deadline: deadline)
                }
                return .interrupted(progress.report)
            }
            progress.pass(page)
            let isHeld = try await unlessPreconditionFails {
                etag = try await state.write(progress, at: SweepProgress.key, ifMatch: etag, deadline: deadline)
            }
            // Another run took over when the lease had ended: it goes on, and reports.
            guard isHeld else { return .idle }
        }
        progress.report.endedAt = now
        try await state.write(progress.report, at: SweepReport.key, deadline: deadline)
        _ = try await unlessPreconditionFails {
            try await state.delete(SweepProgress.key, ifMatch: etag, deadline: deadline)
        }
        return .complete(progress.report)
    }

    /// Nil when no sweep is under way; without a document when how far it came cannot be read: it begins anew.
    private func existingProgress(
        deadline: UnixInstant, logger: Logger
    ) async throws -> (document: SweepProgress?, etag: String)? {
        do {
            return try await state.document(SweepProgress.self, at: SweepProgress.key, deadline: deadline)
        } catch let error as IssuanceError where error.code == .unreadable {
            logger.error(
                "how far the sweep came cannot be read: it begins anew",
                metadata: ["error.message": "\(text(of: error))"])
            let etag = try await state.etagOfDamaged(SweepProgress.key, deadline: deadline) {
                _ = try await state.document(SweepProgress.self, at: SweepProgress.key, deadline: deadline)
            }
            return etag.map { (nil, $0) }
        }
    }

    /// A page can be gone through again: nothing is lost when its time runs out half-way.
    private func unlessTimeRunsOut(_ page: () async throws -> SweptPage) async throws -> SweptPage? {
        do {
            return try await page()
        } catch let error as AWSError where error.code == .timedOut {
            return nil
        }
    }

    private func page(
        of progress: SweepProgress, deadline: UnixInstant, logger: Logger
    ) async throws -> SweptPage {
        let listed =
            switch progress.phase {
            case .records:
                try await state.page(
                    below: CertificateRecord.root, after: progress.position, count: pageLength, deadline: deadline)
            case .bundles:
                try await bundles.page(.backend, after: progress.position, count: pageLength, deadline: deadline)
            case .letsEncryptBundles:
                try await bundles.page(.letsEncrypt, after: progress.position, count: pageLength, deadline: deadline)
            case .markers:
                try await state.page(
                    below: RenewalAction.root, after: progress.position, count: pageLength, deadline: deadline)
            }
        let findings =
            switch progress.phase {
            case .records: try await sweepRecords(listed.objects.map(\.key), deadline: deadline, logger: logger)
            case .bundles, .letsEncryptBundles:
                try await sweepBundles(listed.objects, deadline: deadline, logger: logger)
            case .markers: try await sweepMarkers(listed.objects, deadline: deadline, logger: logger)
            }
        for orphan in findings.orphans {
            logger.warning(
                "a bundle that no stack names",
                metadata: ["sweep.key": "\(orphan.key)", "sweep.message": "\(orphan.line)"])
        }
        return SweptPage(findings: findings, lastKey: listed.objects.last?.key, isLast: listed.isLast)
    }

    func isOlder(_ instant: UnixInstant?, than age: Duration) -> Bool {
        instant.map { $0.duration(to: now) > age } ?? false
    }

    /// Does something for each element, several at a time.
    func forEach<Element: Sendable>(
        _ elements: [Element], _ work: @escaping @Sendable (Element) async throws -> SweepReport
    ) async throws -> SweepReport {
        let startedAt = now
        return try await withThrowingTaskGroup(of: SweepReport.self) { group in
            var waiting = elements[...]
            for _ in 0..<environment.stacksInFlight {
                guard let element = waiting.popFirst() else { break }
                group.addTask { try await work(element) }
            }
            var all = SweepReport(startedAt: startedAt)
            while let one = try await group.next() {
                all.add(one)
                if let element = waiting.popFirst() { group.addTask { try await work(element) } }
            }
            return all
        }
    }
}
