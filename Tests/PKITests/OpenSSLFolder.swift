import Foundation

/// A folder of its own in which the OpenSSL command-line tool runs; removed with the value.
final class OpenSSLFolder: Sendable {
    private let url: URL

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init() throws {
        self.url = FileManager.default.temporaryDirectory.appending(path: "stackcert-pki-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: url.appending(path: name))
    }

    /// Runs the tool and returns what it printed.
    ///
    /// - Throws: `Failure` when it exits with another status than 0.
    @discardableResult
    func run(_ arguments: String...) throws -> String {
        let process = process(arguments)
        let output = Pipe()
        process.standardOutput = output
        // A file, not a pipe: nobody would empty it while the output is read.
        let errors = url.appending(path: UUID().uuidString)
        try Data().write(to: errors)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let problem = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
            throw Failure(description: "openssl \(arguments.joined(separator: " ")): \(text)\(problem)")
        }
        return text
    }

    /// Makes `key.pem` with a new key and returns its text. `kind` is `RSA`, `RSA-PSS`, `RSA-1024`, `ED25519` or a curve.
    func key(_ kind: String) throws -> String {
        switch kind {
        case "RSA", "RSA-PSS", "ED25519": try run("genpkey", "-algorithm", kind, "-out", "key.pem")
        case "RSA-1024":
            try run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "key.pem")
        default: try run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(kind)", "-out", "key.pem")
        }
        return String(decoding: try Data(contentsOf: url.appending(path: "key.pem")), as: UTF8.self)
    }

    /// Starts `s_server` with the files `cert.pem` and `key.pem`, and stops it after `body`, which gets its port.
    func withServer(_ body: (_ port: Int) throws -> Void) throws {
        let process = process(["s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-www"])
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        defer {
            // Threads of the runner block SIGTERM, and a child inherits that.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        var printed = ""
        while true {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failure(description: "s_server did not start: \(printed)") }
            printed += String(decoding: data, as: UTF8.self)
            // "ACCEPT 127.0.0.1:40123"
            guard let line = printed.firstMatch(of: /ACCEPT [0-9.]+:(\d+)\n/), let port = Int(line.1) else { continue }
            return try body(port)
        }
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = url
        process.standardInput = FileHandle.nullDevice
        return process
    }
}
