import ArgumentParser
import Diagnostics

/// `stackcert version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Show the version.")

    static let line = "stackcert \(ProductVersion.text)"

    func run() {
        print(VersionCommand.line)
    }
}
