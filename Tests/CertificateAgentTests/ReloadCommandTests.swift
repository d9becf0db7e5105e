import CertificateAgent
import Testing

@Suite("A reload command")
struct ReloadCommandTests {
    @Test("succeeds by its status", arguments: [("true", true), ("exit 3", false), ("kill -9 $$", false)])
    func status(command: String, succeeds: Bool) async {
        do {
            try await ReloadCommand(command, timeout: .seconds(20)).run()
            #expect(succeeds)
        } catch {
            #expect(!succeeds && (error as? AgentError)?.code == .reloadFailed)
        }
    }

    @Test("is killed with its children when it takes too long")
    func timeout() async {
        let start = ContinuousClock.now
        await #expect(throws: AgentError.self) {
            try await ReloadCommand("sleep 60 & wait", timeout: .milliseconds(200)).run()
        }
        #expect(ContinuousClock.now - start < .seconds(30))
    }
}
