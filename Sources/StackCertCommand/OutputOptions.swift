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
            StandardStreams.write(try Self.text(of: members, formatting: []))
        }
    }

    /// JSON of many lines, as the AWS CLI writes it.
    static func document(_ value: some Encodable) throws -> String { try text(of: value, formatting: .prettyPrinted) }

    private static func text(of value: some Encodable, formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
