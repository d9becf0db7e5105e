import CertificateAgent
import Testing

@Suite("An owner and a mode")
struct FileOwnerTests {
    @Test("are read by name and number", arguments: ["root", "0", "root:root", "0:0", "root:0"])
    func root(text: String) throws {
        #expect(try FileOwner(text) == FileOwner(user: 0, group: 0))
    }

    @Test("of nobody are refused", arguments: ["", ":", "root:", "a:b:c", "no-such-user-here", "root:no-such-group"])
    func unknown(text: String) {
        #expect(throws: AgentError.self) { try FileOwner(text) }
    }

    @Test("that let everybody read the key are refused", arguments: [0o404, 0o644, 0o602, 0o7777] as [UInt32])
    func mode(mode: UInt32) {
        #expect(throws: AgentError.self) {
            try CertificateFileSet(files: [CertificateFile(.combined, path: "/x/y")], secretMode: mode)
        }
    }

    @Test("every way to end has a number and a meaning of its own")
    func exits() {
        #expect(Set(AgentExitStatus.allCases.map(\.meaning)).count == AgentExitStatus.allCases.count)
        #expect(AgentExitStatus(AgentError(.usage, "")) == .usage)
        #expect(AgentExitStatus(CancellationError()) == .internalError)
    }
}
