import ArgumentParser
import CertificateAgent

/// Which files are written, and for whom.
struct CertificateFileOptions: ParsableArguments {
    @Option(help: "Where the certificate goes, with its chain unless --chain is given.")
    var certificate: String?

    @Option(name: .customLong("private-key"), help: "Where the private key goes (PKCS#8, PEM).")
    var privateKey: String?

    @Option(help: "Where the chain goes, when the server wants it in a file of its own.")
    var chain: String?

    @Option(help: "Where private key, certificate and chain go in one file, instead.")
    var combined: String?

    @Option(help: "Whose the files are: user or user:group. Default: who runs this.")
    var owner: String?

    @Option(help: "Permissions of what holds the private key. Default: 0400.")
    var mode: ModeArgument?

    @Option(name: .customLong("certificate-mode"), help: "Permissions of certificate and chain. Default: 0444.")
    var certificateMode: ModeArgument?

    /// Whether none is given.
    var isEmpty: Bool {
        certificate == nil && privateKey == nil && chain == nil && combined == nil && owner == nil && mode == nil
            && certificateMode == nil
    }

    /// - Throws: `AgentError` that tells of options which do not go together.
    func set() throws -> CertificateFileSet {
        let named: [(CertificateFile.Role, String?)] = [
            (.combined, combined), (.privateKey, privateKey), (.certificate, certificate), (.chain, chain),
        ]
        return try CertificateFileSet(
            files: named.compactMap { role, path in path.map { CertificateFile(role, path: $0) } },
            owner: owner.map { try FileOwner($0) }, secretMode: mode?.mode ?? 0o400,
            publicMode: certificateMode?.mode ?? 0o444)
    }
}
