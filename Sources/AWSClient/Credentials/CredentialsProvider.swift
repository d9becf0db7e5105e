package import SigV4
package import Timekeeping

/// Where the keys come from.
package protocol CredentialsProvider: Sendable {
    /// Keys that work now.
    ///
    /// - Parameter deadline: the wall-clock time after which nobody waits for them any more.
    /// - Throws: ``AWSError/Code/noCredentials`` when this source is not set up, so that another may be asked;
    ///   ``AWSError/Code/credentialsUnavailable`` or ``AWSError/Code/invalidConfiguration`` when it is and fails;
    ///   `CancellationError`.
    func credentials(deadline: UnixInstant) async throws -> SigningCredentials
}
