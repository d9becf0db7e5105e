enum CertificateIssuancePlaceholder {}
