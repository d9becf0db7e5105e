import ArgumentParser
import CertificateAgent

/// Where a bundle goes instead of files, for other machines to pull.
struct BundleOptions: ParsableArguments {
    @Option(help: "Put a bundle into this bucket, instead of files here: servers fetch it with `stackcert pull`.")
    var bucket: String?

    @Option(help: "The SSM parameter that says which bundle is the newest. Made when it is not there.")
    var parameter: String?

    @Option(help: "What the keys of bundles begin with.")
    var prefix = "stackcert/"

    @Option(name: .customLong("kms-key-id"), help: "Encrypt bundles with this KMS key. Default: the bucket's setting.")
    var kmsKeyID: String?

    func validate() throws {
        guard (bucket == nil) == (parameter == nil) else {
            throw ValidationError("Give --bucket and --parameter together.")
        }
        guard bucket != nil || kmsKeyID == nil else { throw ValidationError("--kms-key-id goes with --bucket only.") }
        guard prefix.hasSuffix("/"), !prefix.hasPrefix("/"), prefix.utf8.count <= 512,
            prefix.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw ValidationError(
                "--prefix must end with a slash, not begin with one, and be printable ASCII: 512 characters at most.")
        }
    }

    /// Nil when files are wanted.
    func shelf(_ connection: AWSConnection) -> BundleShelf? {
        guard let bucket, let parameter else { return nil }
        return BundleShelf(
            connection.client, bucket: bucket, prefix: prefix, parameter: parameter, kmsKeyID: kmsKeyID)
    }
}
