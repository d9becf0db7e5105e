package import AWSClient
internal import Diagnostics
package import PKI
package import Timekeeping

/// The copies of certificates in ACM: one for each generation, or one that is overwritten by each.
package struct ACMCopies: Sendable {
    private let acm: ACM
    private let pacing: Pacing

    /// - Parameter acm: in the region in which the certificates are used; `us-east-1` for CloudFront.
    package init(
        acm: ACM, clock: any WallClock,
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) {
        self.acm = acm
        self.pacing = Pacing(clock: clock, jitter: jitter)
    }

    // MARK: One for each generation

    /// Imports a generation's certificate, unless that was done before.
    ///
    /// ACM has no token for a request: of an import whose answer was lost there may be two copies. Both carry the label,
    /// and ``remove(_:names:knownARN:deadline:)`` finds both.
    ///
    /// - Parameter knownARN: what an earlier call returned, if that is still known: it spares the search.
    /// - Returns: the ARN.
    package func importOnce(
        _ copy: CertificateCopy, knownARN: String? = nil, deadline: UnixInstant
    ) async throws -> String {
        if let knownARN, try await isThere(copy, arn: knownARN, deadline: deadline) { return knownARN }
        for arn in try await copies(of: copy, deadline: deadline) where arn != knownARN {
            if try await isThere(copy, arn: arn, deadline: deadline) { return arn }
        }
        return try await put(copy, arn: nil, deadline: deadline)
    }

    /// Deletes all copies of a generation, when nothing uses them any more.
    ///
    /// - Parameters:
    ///   - names: the certificate's; nil when they are not known any more, and then the tags of all that were imported
    ///     are looked at.
    ///   - knownARN: what ``importOnce(_:knownARN:deadline:)`` returned.
    ///   - patience: until when to wait for what still uses one, if not until the deadline.
    /// - Throws: ``IssuanceError/Code/inUse`` when something still uses one then.
    package func remove(
        _ label: CopyLabel, names: [SubjectAlternativeName]?, knownARN: String? = nil, patience: UnixInstant? = nil,
        deadline: UnixInstant
    ) async throws {
        var arns = Set(try await copies(of: label, names: names, deadline: deadline))
        if let knownARN, try await carries(label, arn: knownARN, deadline: deadline) { arns.insert(knownARN) }
        try await eachOf(arns.sorted()) { try await delete($0, patience: patience, deadline: deadline) }
    }

    // MARK: One for all generations

    /// Finds out, before anything is issued, whether a certificate with such a key can take the place of the one there.
    ///
    /// - Throws: ``IssuanceError/Code/importRefused``.
    package func checkReplaceable(_ arn: String, by algorithm: KeyAlgorithm, deadline: UnixInstant) async throws {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[2] == "acm", parts[5].hasPrefix("certificate/") else {
            throw IssuanceError(.importRefused, "StableCertificateArn is not the ARN of a certificate in ACM.")
        }
        guard parts[3] == acm.region else {
            throw IssuanceError(
                .importRefused,
                "StableCertificateArn is of the region \(parts[3]), and imports go to \(acm.region): correct one of "
                    + "them, or ImportRegion.")
        }
        guard let found = try await unlessGone({ try await acm.describeCertificate(arn, deadline: deadline) }) else {
            throw IssuanceError(.importRefused, "There is no certificate \(arn), which StableCertificateArn names.")
        }
        guard found.type == "IMPORTED" else {
            throw IssuanceError(
                .importRefused,
                "\(arn), which StableCertificateArn names, was not imported (\(found.type)): ACM replaces no other.")
        }
        guard found.keyAlgorithm == algorithm.acmName else {
            throw IssuanceError(
                .importRefused,
                "The certificate \(arn) has a key of type \(found.keyAlgorithm), and ACM never changes that: set "
                    + "KeyAlgorithm to the same instead of \(algorithm.rawValue), or leave StableCertificateArn out.")
        }
    }

    /// Puts a certificate in the place of the one that has this ARN, unless it is that one.
    ///
    /// - Throws: ``IssuanceError/Code/importRefused``.
    package func replace(_ arn: String, by copy: CertificateCopy, deadline: UnixInstant) async throws {
        try await checkReplaceable(arn, by: copy.keyPair.algorithm, deadline: deadline)
        if try await !isThere(copy, arn: arn, deadline: deadline) {
            _ = try await put(copy, arn: arn, deadline: deadline)
        }
        // A re-import cannot change tags: by them it is found when no record tells of it.
        if try await !carries(copy.label, arn: arn, deadline: deadline) {
            try await acm.addTagsToCertificate(arn, tags: copy.label.tags, deadline: deadline)
        }
    }

    /// Like ``replace(_:by:deadline:)``, for what has to come back.
    ///
    /// - Returns: false, and nothing is changed, when the certificate has run out or the ARN is gone.
    package func restore(_ arn: String, to copy: CertificateCopy, deadline: UnixInstant) async throws -> Bool {
        guard pacing.clock.now < copy.certificate.notAfter,
            try await unlessGone({ try await acm.describeCertificate(arn, deadline: deadline) }) != nil
        else { return false }
        try await replace(arn, by: copy, deadline: deadline)
        return true
    }

    /// Deletes the one that all generations shared, when nothing uses it any more.
    ///
    /// - Throws: ``IssuanceError/Code/inUse``.
    package func remove(shared arn: String, deadline: UnixInstant) async throws {
        try await delete(arn, patience: nil, deadline: deadline)
    }

    // MARK: ACM

    private func put(_ copy: CertificateCopy, arn: String?, deadline: UnixInstant) async throws -> String {
        guard pacing.clock.now < copy.certificate.notAfter else {
            throw IssuanceError(
                .expired,
                "The certificate of generation \(copy.label.generation) ran out at \(copy.certificate.notAfter), and ACM "
                    + "takes no such: change Rotation to get a new one.")
        }
        do {
            return try await acm.importCertificate(
                copy.certificate.pem, chain: copy.chainPEM, privateKey: copy.keyPair.privateKeyPEM, arn: arn,
                tags: arn == nil ? copy.label.tags : [:], deadline: deadline)
        } catch let error as AWSError where error.code == .certificateQuota {
            throw IssuanceError(
                .importRefused,
                "ACM in \(acm.region) takes no more certificates of this account, in all or this year: delete some, ask "
                    + "AWS for more (Service Quotas), or set StableCertificateArn, which needs one only.", cause: error)
        }
    }

    private func copies(of copy: CertificateCopy, deadline: UnixInstant) async throws -> [String] {
        try await copies(of: copy.label, names: copy.certificate.names, deadline: deadline)
    }

    /// By the tags, which are only asked for where the names are the same.
    private func copies(
        of label: CopyLabel, names: [SubjectAlternativeName]?, deadline: UnixInstant
    ) async throws -> [String] {
        let wanted = names.map { Set($0.map(\.description)) }
        var found: [String] = []
        for summary in try await acm.listCertificates(deadline: deadline) where summary.type == "IMPORTED" {
            if let wanted, !wanted.isSuperset(of: summary.names.map { $0.lowercased() }) { continue }
            if try await carries(label, arn: summary.arn, deadline: deadline) { found.append(summary.arn) }
        }
        return found.sorted()
    }

    private func carries(_ label: CopyLabel, arn: String, deadline: UnixInstant) async throws -> Bool {
        let tags = try await unlessGone {
            try await pacing.call(until: deadline) {
                try await acm.listTagsForCertificate(arn, deadline: deadline)
            }
        }
        return tags?[CopyLabel.generationTag] == label.generation.description
    }

    private func isThere(_ copy: CertificateCopy, arn: String, deadline: UnixInstant) async throws -> Bool {
        let body = try await unlessGone { try await acm.getCertificate(arn, deadline: deadline) }
        return body.flatMap { try? IssuedCertificate(pem: $0) }?.der == copy.certificate.der
    }

    private func delete(_ arn: String, patience: UnixInstant?, deadline: UnixInstant) async throws {
        let end = patience ?? deadline
        while true {
            do {
                _ = try await unlessGone { try await acm.deleteCertificate(arn, deadline: deadline) }
                return
            } catch let error as AWSError where error.code == .resourceInUse {
                // What used it may have been taken off a moment ago.
                guard try await pacing.wait(.seconds(5), .seconds(15), until: end) == nil else { continue }
                let users = try await unlessGone { try await acm.describeCertificate(arn, deadline: deadline) }?.inUseBy
                throw IssuanceError(
                    .inUse,
                    "The certificate \(arn) is still used by \(users?.joined(separator: ", ") ?? "something"): take it "
                        + "off there and try again.", cause: error)
            }
        }
    }
}

/// Nil when there is no such certificate.
private func unlessGone<Value>(_ operation: () async throws -> Value) async throws -> Value? {
    do {
        return try await operation()
    } catch let error as AWSError where error.code == .resourceNotFound {
        return nil
    }
}

extension KeyAlgorithm {
    fileprivate var acmName: String {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: rawValue
        case .ecP256: "EC_prime256v1"
        case .ecP384: "EC_secp384r1"
        }
    }
}
