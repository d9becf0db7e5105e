import ProviderTestSupport

/// The rules that every single answer has to keep, whoever still waits for it.
struct AnswerCheck {
    let reply: ReplyInbox.Reply
    let event: StackEvent
    let ledger: Ledger

    static let attributes: Set<String> = [
        "PublicKey", "PreviousPublicKey", "PreviousPublicKeyFingerprint", "CertificateS3Key", "CertificateS3Prefix",
        "PublicKeyFingerprint",
        "CertificateFingerprint", "SerialNumber", "NotBefore", "NotAfter",
    ]

    func run() {
        let name = event.requestID
        if reply.requestID != name || reply.stackID != event.stackID
            || reply.logicalResourceID != event.logicalResourceID
        {
            ledger.report(.oneAnswer, "the answer to \(name) names another request")
        }
        if reply.physicalResourceID.isEmpty { ledger.report(.rightID, "\(name) has an empty id") }
        let keepsID = event.requestType == "Delete" || event.requestType == "Update" && reply.status == "FAILED"
        if keepsID, reply.physicalResourceID != event.physicalResourceID {
            ledger.report(.rightID, "\(name) \(reply.status) has another id than it came with")
        }
        guard reply.status == "SUCCESS" else {
            if reply.reason?.isEmpty ?? true { ledger.report(.oneAnswer, "\(name) FAILED without a reason") }
            return
        }
        guard event.requestType != "Delete" else { return }
        let data = reply.data ?? [:]
        if !Self.attributes.isSubset(of: data.keys) || data.values.contains("") {
            ledger.report(.everyAttribute, "\(name) misses \(Self.attributes.subtracting(data.keys).sorted())")
        }
        if data["PublicKey"] == data["PreviousPublicKey"] {
            ledger.report(.previousKey, "\(name) names one key twice")
        }
    }
}
