import CertificateAgent
import Foundation
import Testing

@Suite("A reload command")
struct ReloadCommandTests {
    // Long enough for the slowest machine: nothing here waits for it to end.
    private static let patience = Duration.seconds(3600)

    @Test("succeeds by its status", arguments: [("true", true), ("exit 3", false), ("kill -9 $$", false)])
    func status(command: String, succeeds: Bool) async {
        do {
            try await ReloadCommand(command, timeout: Self.patience).run()
            #expect(succeeds)
        } catch {
            #expect(!succeeds && (error as? AgentError)?.code == .reloadFailed)
        }
    }

    @Test("is killed with its children when it takes too long")
    func timeout() async throws {
        let folder = try ServerFolder()
        let file = folder.path + "/child"
        await #expect(throws: AgentError.self) {
            try await ReloadCommand("sleep 3600 & echo $! > '\(file)'; wait", timeout: .seconds(2)).run()
        }
        let child = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(Int(child) != nil)
        // Killed before the command's end was told; whose parent does not look after it stays as a zombie.
        while let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8), !state.contains(") Z") {
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
