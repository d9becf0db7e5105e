import ArgumentParser
import FoundationEssentials

/// How a subcommand answers.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @Option(help: "How the result is printed.")
    var output = Format.text

    /// Prints one result, on one line.
    func show(_ members: some Encodable, text: String) throws {
        switch output {
        case .text:
            StandardStreams.write(text)
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            StandardStreams.write(String(decoding: try encoder.encode(members), as: UTF8.self))
        }
    }
}
