import Foundation
import Testing

@testable import StackCertCommand

/// Pages are replaced in one step.
@Suite struct WholeFileTests {
    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "whole-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test("A file is made, and replaced by another one, so that who has it open reads on in the old one")
    func replaced() throws {
        try inFolder { folder in
            let path = folder.appending(path: "page.html").path
            try WholeFile(path: path).write("first")
            let reader = try #require(FileHandle(forReadingAtPath: path))
            try WholeFile(path: path).write("second")
            #expect(try reader.readToEnd() == Data("first".utf8))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "second")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["page.html"])
        }
    }

    @Test("What is no file, or where no file can be, is left alone and named")
    func refused() throws {
        try inFolder { folder in
            #expect(throws: CommandError.self) { try WholeFile(path: folder.path).write("text") }
            let missing = folder.appending(path: "missing/page.html").path
            let error = #expect(throws: CommandError.self) { try WholeFile(path: missing).write("text") }
            #expect(error?.code == .writeFailed)
            #expect(error?.message.contains("its directory must exist") == true)
        }
        #expect(throws: CommandError.self) { try WholeFile(path: "/dev/null").write("text") }
    }
}
