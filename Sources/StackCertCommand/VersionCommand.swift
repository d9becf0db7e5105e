import ArgumentParser

/// `stackcert version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Show the version.")

    static let version = "0.1.0"
    static let line = "stackcert \(version)"

    func run() {
        print(VersionCommand.line)
    }
}
