enum CertificateResourcesPlaceholder {}
