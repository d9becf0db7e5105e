import ArgumentParser

/// `stackcert`: what people and servers use beside the templates. Each subcommand is a file of its own.
@main
struct StackCert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stackcert",
        abstract: "Certificates as CloudFormation resources: the tool for people and servers.",
        discussion: """
            Region and credentials are found as the AWS CLI finds them.
            Shell completion: stackcert --generate-completion-script bash|zsh|fish

            EXAMPLES
              stackcert status
              stackcert status --output json --profile production --region eu-west-1
              stackcert renew --dry-run
              stackcert rotate shop
              stackcert show shop
            """,
        version: VersionCommand.line,
        subcommands: [
            StatusCommand.self, RenewCommand.self, RotateCommand.self, ShowCommand.self, PullCommand.self,
            IssueCommand.self, RegisterCommand.self, AccountsCommand.self, RevokeCommand.self, VersionCommand.self,
        ])
}
