import ProviderTestSupport

/// The rules that every single answer has to keep, whoever still waits for it.
struct AnswerCheck {
    let reply: ReplyInbox.Reply
    let event: StackEvent
    let ledger: Ledger

    /// Attributes with a value in every SUCCESS of a history.
    static func attributes(of type: History.ResourceType) -> Set<String> {
        let common: Set<String> = [
            "PublicKey", "PublicKeyFingerprint", "CertificateS3Key", "CertificateS3Prefix", "CertificateFingerprint",
            "SerialNumber", "NotBefore", "NotAfter",
        ]
        return switch type {
        case .elbBackend: common.union(["PreviousPublicKey", "PreviousPublicKeyFingerprint"])
        case .letsEncrypt: common.union(["CertificateArn"])
        }
    }

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
        let missing = Self.attributes(of: ledger.resourceType).filter { data[$0]?.isEmpty ?? true }
        if !missing.isEmpty { ledger.report(.everyAttribute, "\(name) misses \(missing.sorted())") }
        if let previous = data["PreviousPublicKey"], data["PublicKey"] == previous {
            ledger.report(.previousKey, "\(name) names one key twice")
        }
    }
}
