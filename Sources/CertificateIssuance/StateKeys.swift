/// The keys of the state bucket, in which nothing is secret.
extension CertificateAddress {
    /// Where the generation's ``CertificateRecord`` is.
    package var recordKey: String { "records/\(stackGUID)/\(logicalResourceID)/\(generation).json" }

    var tombstoneKey: String { "tombstones/\(stackGUID)/\(logicalResourceID)/\(generation).json" }

    /// The marker that says when the generation is to be renewed.
    package func actionKey(_ schedule: RenewalSchedule) -> String {
        "actions/\(schedule.minute)/\(stackGUID).\(logicalResourceID).\(generation)"
    }
}

extension CertificateOwner {
    /// What is known of the certificate that system A made for this resource.
    var adoptionKey: String { "records/\(stackGUID)/\(logicalResourceID)/adopted.json" }
}
