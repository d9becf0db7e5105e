import ArgumentParser

/// The command-line tool.
@main
struct StackCert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stackcert",
        abstract: "Certificates as CloudFormation resources.",
        discussion: """
            It finds region and credentials as the AWS CLI does.

            EXAMPLES
              stackcert status
              stackcert status --output json --profile production --region eu-west-1
            """,
        subcommands: [StatusCommand.self])
}
