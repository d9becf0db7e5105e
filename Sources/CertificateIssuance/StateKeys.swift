package import Timekeeping

/// The keys of the state bucket, in which nothing is secret.
extension CertificateAddress {
    /// Where the generation's ``CertificateRecord`` is.
    package var recordKey: String { "records/\(stackGUID)/\(logicalResourceID)/\(generation).json" }

    var tombstoneKey: String { "tombstones/\(stackGUID)/\(logicalResourceID)/\(generation).json" }

    /// The marker that says when the generation is to be renewed, or looked at: the authority of a Let's Encrypt
    /// certificate is asked when it wants that.
    package func actionKey(_ facts: CertificateFacts) -> String {
        let due = RenewalSchedule(notBefore: facts.notBefore, notAfter: facts.notAfter, generation: generation).due
        let firstLook = facts.notBefore.advanced(by: .seconds(6 * 3600))
        return actionKey(at: kind == .letsEncrypt ? min(due, firstLook) : due)
    }

    /// A marker for another time.
    package func actionKey(at instant: UnixInstant) -> String {
        "actions/\(instant.iso8601.prefix(16))Z/\(stackGUID).\(logicalResourceID).\(generation)"
    }

    /// What the authority said last of the generation's renewal, and the time that was chosen.
    package var adviceKey: String { "renewal-info/\(stackGUID)/\(logicalResourceID)/\(generation).json" }
}

extension CertificateOwner {
    /// What is known of the certificate that system A made for this resource.
    var adoptionKey: String { "records/\(stackGUID)/\(logicalResourceID)/adopted.json" }

    /// The note that this resource uses an object of system A. Several stacks with one AppName use one object.
    func useKey(of object: SystemAObject) -> String { "\(object.usesPrefix)\(stackGUID).\(logicalResourceID)" }
}
