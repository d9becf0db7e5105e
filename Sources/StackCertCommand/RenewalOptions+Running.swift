import CertificateRenewal

extension RenewalOptions {
    /// Renews stacks, a few at a time, or previews it; in the order in which they are named.
    ///
    /// - Parameter isDue: whether the scheduled function would renew a certificate, too.
    func run(
        _ stacks: [DueStack], environment: RenewalEnvironment, isDue: @escaping @Sendable (DueCertificate) -> Bool
    ) async -> [RenewalResult] {
        let console = RenewalConsole(output.output)
        let renewal = AttendedRenewal(environment)
        let isDryRun = dryRun
        return await withTaskGroup(of: (Int, RenewalResult).self) { group in
            var waiting = stacks.enumerated().map { ($0, $1) }[...]
            func add() {
                guard let (index, stack) = waiting.popFirst() else { return }
                group.addTask {
                    guard !isDryRun else { return (index, RenewalResult(await renewal.preview(stack))) }
                    let outcome = await renewal.renew(stack, isDue: stack.certificates.contains(where: isDue)) {
                        await console.show($0)
                    }
                    await console.end(stack.name)
                    return (index, RenewalResult(stack, outcome))
                }
            }
            for _ in 0..<environment.stacksInFlight { add() }
            var results: [(Int, RenewalResult)] = []
            while let result = await group.next() {
                results.append(result)
                add()
            }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
