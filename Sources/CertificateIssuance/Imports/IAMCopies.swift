package import AWSClient
internal import Diagnostics
internal import PKI
package import Timekeeping

/// The copies of certificates in IAM, one for each generation, for what cannot use ACM.
package struct IAMCopies: Sendable {
    private let iam: IAM
    private let path: String
    private let pacing: Pacing

    /// - Parameter path: begins and ends with a slash; below `/cloudfront/` for CloudFront.
    package init(
        iam: IAM, path: String = "/", clock: any WallClock,
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) {
        self.iam = iam
        self.path = path
        self.pacing = Pacing(clock: clock, jitter: jitter)
    }

    /// Uploads a generation's certificate, unless that was done before, and returns when it can be found.
    ///
    /// - Throws: ``IssuanceError/Code/importRefused`` when another certificate has its name.
    package func uploadOnce(
        _ copy: CertificateCopy, deadline: UnixInstant
    ) async throws -> IAM.ServerCertificate {
        let name = copy.label.serverCertificateName
        do {
            _ = try await iam.uploadServerCertificate(
                copy.certificate.pem, chain: copy.chainPEM, privateKey: copy.keyPair.privateKeyPEM, name: name,
                path: path, tags: copy.label.tags, deadline: deadline)
        } catch let error as AWSError where error.code == .entityAlreadyExists {
            // An earlier try's; below it is looked at.
        } catch let error as AWSError where error.code == .entityQuota {
            throw IssuanceError(
                .importRefused,
                "IAM takes no more server certificates of this account: delete some, ask AWS for more (Service Quotas), "
                    + "or set Import to ACM.", cause: error)
        }
        let found = try await visible(name, deadline: deadline)
        guard (try? IssuedCertificate(pem: found.body))?.der == copy.certificate.der else {
            throw IssuanceError(
                .importRefused,
                "\(found.certificate.arn) is another certificate than that of this generation: delete it and try again."
            )
        }
        return found.certificate
    }

    /// Deletes the copy of a generation, when nothing uses it any more.
    ///
    /// - Parameter patience: until when to wait for what still uses it, if not until the deadline.
    /// - Throws: ``IssuanceError/Code/inUse`` when something still uses it then.
    package func remove(_ label: CopyLabel, patience: UnixInstant? = nil, deadline: UnixInstant) async throws {
        let name = label.serverCertificateName
        while true {
            do {
                return try await iam.deleteServerCertificate(name, deadline: deadline)
            } catch let error as AWSError where error.code == .noSuchEntity {
                return
            } catch let error as AWSError where error.code == .deleteConflict {
                // What used it may have been taken off a moment ago.
                guard try await pacing.wait(.seconds(5), .seconds(15), until: patience ?? deadline) == nil else {
                    continue
                }
                throw IssuanceError(
                    .inUse,
                    "The server certificate \(name) is still used: take it off there and try again. \(error.message)",
                    cause: error)
            }
        }
    }

    /// What was uploaded is found after some seconds only, and what names it before then fails.
    private func visible(
        _ name: String, deadline: UnixInstant
    ) async throws -> (certificate: IAM.ServerCertificate, body: String) {
        while true {
            do {
                return try await iam.getServerCertificate(name, deadline: deadline)
            } catch let error as AWSError where error.code == .noSuchEntity {
                guard try await pacing.wait(.seconds(1), .seconds(3), until: deadline) != nil else { throw error }
            }
        }
    }
}
