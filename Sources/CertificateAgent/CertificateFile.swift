package import PKI

/// One file that a server reads.
package struct CertificateFile: Hashable, Sendable {
    package enum Role: String, CaseIterable, Sendable {
        case privateKey = "private-key.pem"
        case certificate = "certificate.pem"
        case chain = "chain.pem"
        /// Private key, certificate and chain in one.
        case combined = "combined.pem"

        var isSecret: Bool { self == .privateKey || self == .combined }
    }

    package let role: Role
    /// Where the server looks for it.
    package let path: String

    package init(_ role: Role, path: String) {
        self.role = role
        self.path = path
    }

    var name: String { String(path.split(separator: "/").last ?? "") }

    var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// Which files a server wants, whose they are and who may read them.
package struct CertificateFileSet: Sendable {
    package let files: [CertificateFile]
    /// User and group by number; nil leaves them to who runs the agent.
    package let owner: FileOwner?
    package let secretMode: UInt32
    package let publicMode: UInt32
    /// The one whose name names the folder of versions.
    let secret: CertificateFile

    /// - Parameters:
    ///   - secretMode: permissions of what holds the private key.
    ///   - publicMode: permissions of the rest.
    /// - Throws: ``AgentError/Code/usage``.
    package init(
        files: [CertificateFile], owner: FileOwner? = nil, secretMode: UInt32 = 0o400, publicMode: UInt32 = 0o444
    ) throws(AgentError) {
        let roles = files.map(\.role)
        guard let secret = files.first(where: \.role.isSecret),
            roles == [.combined]
                || (Set(roles).isSuperset(of: [.privateKey, .certificate]) && !roles.contains(.combined)),
            Set(roles).count == roles.count, Set(files.map(\.path)).count == files.count
        else {
            throw AgentError(
                .usage, "Give either --combined, or --certificate and --private-key, each another file.")
        }
        guard files.allSatisfy({ !$0.name.isEmpty && !$0.path.hasSuffix("/") && $0.name != "." && $0.name != ".." })
        else {
            throw AgentError(.usage, "A file's name is missing: directories cannot be given.")
        }
        guard secretMode & 0o7 == 0, secretMode <= 0o777 else {
            throw AgentError(.usage, "The private key's mode must not let everybody in: 0400 or 0440, for example.")
        }
        guard publicMode & 0o002 == 0, publicMode <= 0o777 else {
            throw AgentError(.usage, "The mode of the certificate must not let everybody write: 0444, for example.")
        }
        self.files = files
        self.owner = owner
        self.secretMode = secretMode
        self.publicMode = publicMode
        self.secret = secret
    }

    /// What the files hold now; nil when they are not there, damaged, or not as they should be.
    ///
    /// - Throws: ``AgentError`` when they cannot be looked at.
    package func served() throws -> (pointer: String, certificate: IssuedCertificate)? {
        try ServedFiles(self, calls: .real).currentVersion().map { ($0.pointer, $0.certificate) }
    }

    func mode(of role: CertificateFile.Role) -> UInt32 { role.isSecret ? secretMode : publicMode }
    var hasChainFile: Bool { files.contains { $0.role == .chain } }
}
