import FoundationEssentials
import ProviderTestSupport
import Synchronization
import TestSupport
import Timekeeping

/// What CloudFormation was told and counts on, and every rule that was broken.
final class Ledger: Sendable {
    /// A certificate that CloudFormation holds under a physical id, until it asks for its deletion.
    struct Held: Sendable {
        let event: StackEvent
        let bucket: String
        let key: String
        /// Only for what system A made: the object's version.
        let versionID: String?
        let body: [UInt8]
    }

    private struct State {
        var waiting: Set<String> = []
        var answers: [String: ReplyInbox.Reply] = [:]
        var seen: [String: Int] = [:]
        var latest: [String: String] = [:]
        var held: [String: Held] = [:]
        var keyFragments: Set<String> = []
        var errors: [String] = []
        var violations: [Violation] = []
        var publicKeys: Set<String> = []
    }

    let resourceType: History.ResourceType
    private let s3: InMemoryS3
    private let inbox: ReplyInbox
    private let state = Mutex(State())

    init(resourceType: History.ResourceType, s3: InMemoryS3, inbox: ReplyInbox) {
        self.resourceType = resourceType
        self.s3 = s3
        self.inbox = inbox
    }

    var violations: [Violation] { state.withLock { $0.violations } }
    var held: [String: Held] { state.withLock { $0.held } }
    var keyFragments: Set<String> { state.withLock { $0.keyFragments } }
    var errors: [String] { state.withLock { $0.errors } }

    /// Every public key that a request was told.
    var publicKeys: Set<String> { state.withLock { $0.publicKeys } }

    func report(_ rule: Violation.Rule, _ detail: String) {
        state.withLock { $0.violations.append(Violation(rule: rule, detail: detail)) }
    }

    func note(thrown error: any Error) {
        state.withLock { $0.errors.append("\(error) \(String(reflecting: error))") }
    }

    // MARK: What CloudFormation does

    func await(_ event: StackEvent) {
        state.withLock { state in
            state.waiting.insert(event.requestID)
            state.latest[event.logicalResourceID] = event.requestID
        }
    }

    func isWaiting(for event: StackEvent) -> Bool { state.withLock { $0.waiting.contains(event.requestID) } }

    func stopWaiting(for event: StackEvent) {
        state.withLock { state in
            state.waiting.remove(event.requestID)
            state.latest[event.logicalResourceID] = nil
        }
    }

    func answer(to event: StackEvent) -> ReplyInbox.Reply? { state.withLock { $0.answers[event.requestID] } }

    func hold(_ id: String, _ held: Held) { state.withLock { $0.held[id] = held } }

    /// CloudFormation asks for the deletion, so the certificate may go.
    func release(_ id: String) { state.withLock { $0.held[id] = nil } }

    // MARK: What is seen on the wire

    func observe(_ step: InterceptedNetwork.Step, body: [UInt8], of sent: SentEvent) {
        if step.peer == .inbox {
            takeAnswers(to: sent.event)
        } else if step.method == "PUT" || step.method == "DELETE" {
            noteKey(in: body)
            checkHeld(after: "\(step.method) \(step.target) (step \(step.ordinal) of \(sent.event.requestID))")
        }
    }

    /// Remembers a piece of every private key that was ever written, to look for it where it must not be: keys of
    /// certificates (PEM) and of accounts at the CA (JWK).
    private func noteKey(in body: [UInt8]) {
        let text = String(decoding: body, as: UTF8.self)
        guard text.has("PRIVATE KEY-----") || text.has(#""d":""#) else { return }
        let unescaped = text.replacing(#"\/"#, with: "/")
        for mark in [#"PRIVATE KEY-----\n"#, #""d":""#] {
            guard let start = unescaped.firstRange(of: mark) else { continue }
            let line = unescaped[start.upperBound...].prefix { $0 != #"\"# && $0 != "\"" }
            guard line.count >= 24 else { continue }
            state.withLock { _ = $0.keyFragments.insert(String(line.suffix(24))) }
        }
    }

    func checkHeld(after what: String) {
        for (id, held) in held {
            let isThere =
                if let versionID = held.versionID {
                    s3.storedVersions(bucket: held.bucket).contains { $0.key == held.key && $0.versionID == versionID }
                } else {
                    s3.body(bucket: held.bucket, key: held.key) == held.body
                }
            guard !isThere else { continue }
            report(.liveKey, "\(id) is gone or changed after \(what)")
            release(id)
        }
    }

    private func takeAnswers(to event: StackEvent) {
        let bodies = inbox.bodies(to: event.responsePath)
        let seen = state.withLock { state in
            defer { state.seen[event.requestID] = bodies.count }
            return state.seen[event.requestID] ?? 0
        }
        for body in bodies.dropFirst(seen) {
            guard let reply = try? JSONDecoder().decode(ReplyInbox.Reply.self, from: Data(body)), body.count <= 4096
            else {
                report(.oneAnswer, "an answer to \(event.requestID) cannot be read")
                continue
            }
            AnswerCheck(reply: reply, event: event, ledger: self).run()
            let (isFirst, first) = state.withLock { state in
                if let key = reply.data?["PublicKey"] { state.publicKeys.insert(key) }
                let isFirst = state.waiting.remove(event.requestID) != nil
                if isFirst { state.answers[event.requestID] = reply }
                return (isFirst, state.answers[event.requestID])
            }
            if isFirst { accept(reply, of: event) } else { compare(reply, with: first, event: event) }
        }
    }

    private func accept(_ reply: ReplyInbox.Reply, of event: StackEvent) {
        guard reply.status == "SUCCESS", event.requestType != "Delete", held[reply.physicalResourceID] == nil,
            let data = reply.data, let key = data["CertificateS3Key"]
        else { return }
        let bucket = event.properties["AppS3Bucket"] ?? ""
        guard let body = s3.body(bucket: bucket, key: key) else {
            report(.liveKey, "\(event.requestID) was given \(key), which is not there")
            return
        }
        hold(reply.physicalResourceID, Held(event: event, bucket: bucket, key: key, versionID: nil, body: body))
        guard let bundle = StoredBundle(body), bundle.publicKey == data["PublicKey"],
            bundle.notAfter == nil || bundle.notAfter == data["NotAfter"]
        else { return report(.everyAttribute, "the attributes of \(event.requestID) are not the bundle's") }
    }

    private func compare(_ reply: ReplyInbox.Reply, with first: ReplyInbox.Reply?, event: StackEvent) {
        guard let first, first.status == "SUCCESS", reply.status == "SUCCESS" else { return }
        let isLatest = state.withLock { $0.latest[event.logicalResourceID] == event.requestID }
        let differing = Set((first.data ?? [:]).keys).union((reply.data ?? [:]).keys)
            .filter { first.data?[$0] != reply.data?[$0] && (isLatest || !$0.hasPrefix("Previous")) }
        guard first.physicalResourceID == reply.physicalResourceID, differing.isEmpty else {
            return report(.oneAnswer, "\(event.requestID) was answered again with other \(differing.sorted())")
        }
    }
}

/// The members of a bundle that the rules are about.
struct StoredBundle {
    let privateKey: String
    /// Base64 on one line.
    let publicKey: String
    let notAfter: String?

    init?(_ body: [UInt8]) {
        guard body.first == UInt8(ascii: "{"),
            let members = try? JSONDecoder().decode([String: String].self, from: Data(body)),
            let privateKey = members["private_key"], let publicKey = members["public_key"]
        else { return nil }
        self.privateKey = privateKey
        self.publicKey = publicKey.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
        self.notAfter = members["not_after"]
    }
}
