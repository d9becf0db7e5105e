package import ACME

/// What a Delete has to know of an order: its request has the properties of that time, or of another.
package struct OrderSettings: Hashable, Sendable, Codable {
    package let directory: ResourceURL
    package let contact: String?
    package let profile: String?
    package let preferredChain: String?
    /// The number of the stack's AWS account.
    package let holder: String
    package let revokeOnDelete: Bool
    /// One ARN in ACM for all generations.
    package let stableCertificateARN: Bool
    package let importRegion: String?
    package let importPath: String?

    package init(
        directory: ResourceURL, contact: String?, profile: String?, preferredChain: String?, holder: String,
        revokeOnDelete: Bool, stableCertificateARN: Bool, importRegion: String?, importPath: String?
    ) {
        self.directory = directory
        self.contact = contact
        self.profile = profile
        self.preferredChain = preferredChain
        self.holder = holder
        self.revokeOnDelete = revokeOnDelete
        self.stableCertificateARN = stableCertificateARN
        self.importRegion = importRegion
        self.importPath = importPath
    }
}

extension CertificateSettings {
    /// The same, with the account of an earlier order of this generation; nil changes nothing.
    package func ordered(by earlier: OrderSettings?) -> CertificateSettings {
        guard let order, let earlier else { return self }
        return CertificateSettings(
            rotationParameter: rotationParameter, stableS3Key: stableS3Key,
            order: OrderSettings(
                directory: earlier.directory, contact: earlier.contact, profile: order.profile,
                preferredChain: order.preferredChain, holder: order.holder, revokeOnDelete: order.revokeOnDelete,
                stableCertificateARN: order.stableCertificateARN, importRegion: order.importRegion,
                importPath: order.importPath))
    }
}

/// Where a certificate is beside its bundle.
package struct CertificateCopies: Hashable, Sendable, Codable {
    /// In ACM.
    package let certificateARN: String?
    /// In IAM.
    package let serverCertificateARN: String?
    package let serverCertificateName: String?

    package init(
        certificateARN: String? = nil, serverCertificateARN: String? = nil, serverCertificateName: String? = nil
    ) {
        self.certificateARN = certificateARN
        self.serverCertificateARN = serverCertificateARN
        self.serverCertificateName = serverCertificateName
    }
}
