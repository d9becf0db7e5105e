import CertificateAgent
import Foundation
import Glibc
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

    @Test("inherits no open file and no credentials, and every signal does what it does by itself")
    func inherits() async throws {
        let folder = try ServerFolder()
        try folder.write("", to: folder.path + "/open")
        let open = unsafe Glibc.open(folder.path + "/open", O_RDONLY)
        defer { close(open) }
        try #require(open > STDERR_FILENO)
        let environment = [
            "PATH": "/usr/bin:/bin", "AWS_REGION": "kept", "AWS_SECRET_ACCESS_KEY": "s3cret",
            "AWS_SESSION_TOKEN": "s3cret", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "s3cret",
        ]
        let before = signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, before) }
        let command = """
            cd '\(folder.path)' && ls -l /proc/self/fd > files && grep -E '^Sig(Blk|Ign)' /proc/self/status > signals && env > env
            """
        try await ReloadCommand(command, timeout: Self.patience, environment: environment).run()
        let text = { (name: String) in try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8) }
        #expect(try !text("files").contains("/open"))
        // 32 and 33 are glibc's own, which has each process that it starts ignore them.
        let masks = try text("signals").split(whereSeparator: \.isWhitespace).compactMap { UInt64($0, radix: 16) }
        #expect(masks.map { $0 & 0x7FFF_FFFF } == [0, 0], "\(masks)")
        #expect(try !text("env").contains("s3cret"))
        #expect(try text("env").contains("AWS_REGION=kept"))
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
