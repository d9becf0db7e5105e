import ACME
import CertificateIssuance
import CertificateRenewal
import Timekeeping

/// What `stackcert show` prints of one certificate. Everything in it is public.
struct CertificateSheet: Encodable {
    private let stack: String
    private let stackId: String
    private let resource: String
    private let state: String
    private let isCurrent: Bool
    private let names: [String]?
    private let algorithm: String
    private let notBefore: UnixInstant
    private let notAfter: UnixInstant
    private let daysLeft: Int
    private let renewal: UnixInstant
    /// The time in which the authority wants it renewed (RFC 9773); nil when it has not said.
    private let renewalWindow: Window?
    private let rotationParameter: String
    private let serialNumber: String
    private let certificateFingerprint: String
    private let publicKey: String
    private let publicKeyFingerprint: String?
    /// Nil when no other key is trusted beside this one.
    private let previousPublicKeyFingerprint: String?
    private let previousKeyDiscarded: Bool
    /// Of the certificate authority; nil for a backend certificate.
    private let directory: String?
    private let certificateArn: String?
    private let serverCertificateArn: String?
    private let bucket: String
    private let key: String
    private let stableKey: String?
    private let generation: String
    private let requestId: String
    private let issuedAt: UnixInstant
    private let claimedBy: String
    private let claimedAt: UnixInstant
    private let lastAttempt: Attempt?

    private struct Window: Encodable {
        let start: UnixInstant
        let end: UnixInstant
        let explanationUrl: String?
    }

    private struct Attempt: Encodable {
        let outcome: String?
        let message: String?
        let failures: Int
        /// When an update was started that has not been seen to end.
        let startedAt: UnixInstant?
        let nextTry: UnixInstant
    }

    init(_ details: CertificateDetails, now: UnixInstant) {
        let (record, status) = (details.record, details.status)
        let facts = record.facts
        stack = status.stackName
        stackId = record.stackID
        resource = record.logicalResourceID
        state = status.state.rawValue
        isCurrent = details.isCurrent
        names = record.names
        algorithm = status.algorithm
        notBefore = facts.notBefore
        notAfter = facts.notAfter
        daysLeft = status.daysLeft(at: now)
        renewal = details.advice?.chosen ?? status.due
        renewalWindow = details.advice.map {
            Window(start: $0.windowStart, end: $0.windowEnd, explanationUrl: $0.explanationURL)
        }
        rotationParameter = record.settings.rotationParameter
        serialNumber = facts.serialNumber
        certificateFingerprint = facts.certificateFingerprint
        publicKey = facts.publicKey
        publicKeyFingerprint = try? facts.publicKeyFingerprint
        previousPublicKeyFingerprint =
            facts.previousPublicKey == facts.publicKey ? nil : try? facts.previousPublicKeyFingerprint
        directory = record.settings.order?.directory.description
        certificateArn = record.copies?.certificateARN
        serverCertificateArn = record.copies?.serverCertificateARN
        previousKeyDiscarded = facts.previousKeyDiscarded
        bucket = record.bucket
        key = record.key
        stableKey = record.settings.stableS3Key ? record.address?.stableKey : nil
        generation = record.address?.generation.description ?? "-"
        requestId = facts.requestID
        issuedAt = facts.issuedAt
        claimedBy = record.claim.requestID
        claimedAt = record.claim.issuedAt
        lastAttempt = details.attempt.map {
            Attempt(
                outcome: $0.outcome?.rawValue, message: $0.line, failures: $0.failures,
                startedAt: $0.execution?.startedAt, nextTry: $0.nextTry)
        }
    }

    var text: String {
        var rows = [
            ("Stack", stackId),
            ("Names", names?.joined(separator: ", ") ?? "not written down yet; the next update of the stack does"),
            ("Algorithm", algorithm),
            ("Valid", "\(notBefore.iso8601) to \(notAfter.iso8601) (\(daysLeft) days left)"),
            ("Renewal", "\(renewal.iso8601)\(windowText), by the parameter \(rotationParameter)"),
            ("Last attempt", attemptText),
            ("Serial number", serialNumber),
            ("Certificate", "SHA-256 \(certificateFingerprint)"),
            ("Public key", "SHA-256 \(publicKeyFingerprint ?? "-")"),
        ]
        if isBackend {
            let previous = previousPublicKeyFingerprint.map { "SHA-256 \($0)" } ?? "-"
            rows.append(
                (
                    "Previous key",
                    previous + (previousKeyDiscarded ? ", whose private key was thrown away" : ", trusted beside it")
                ))
        }
        if let directory { rows.append(("Authority", directory)) }
        if let certificateArn { rows.append(("In ACM", certificateArn)) }
        if let serverCertificateArn { rows.append(("In IAM", serverCertificateArn)) }
        rows.append(("Bundle", "s3://\(bucket)/\(key)"))
        if let stableKey { rows.append(("Stable copy", "s3://\(bucket)/\(stableKey)")) }
        rows += [
            ("Generation", generation),
            ("Made", "\(issuedAt.iso8601), request \(requestId)"),
            ("Claimed", "\(claimedAt.iso8601), request \(claimedBy)"),
        ]
        let title = "\(stack)  \(resource)  \(state)\(isCurrent ? "" : "  (being replaced)")"
        let width = (rows.map(\.0.count).max() ?? 0) + 2
        return ([title] + rows.map { "  " + $0 + String(repeating: " ", count: width - $0.count) + $1 })
            .map(PlainText.escaped)
            .joined(separator: "\n")
    }

    private var isBackend: Bool { key.hasPrefix("\(CertificateAddress.Kind.backend.rawValue)/") }

    private var windowText: String {
        renewalWindow.map { ", chosen in the authority's window \($0.start.iso8601) to \($0.end.iso8601)" } ?? ""
    }

    private var attemptText: String {
        guard let lastAttempt else { return "none is under way, and none has failed" }
        if let startedAt = lastAttempt.startedAt { return "under way since \(startedAt.iso8601)" }
        guard let outcome = lastAttempt.outcome, let message = lastAttempt.message else { return "being prepared" }
        let tries =
            lastAttempt.failures > 0
            ? " (failures: \(lastAttempt.failures); next try \(lastAttempt.nextTry.iso8601))" : ""
        return "\(outcome): \(message)\(tries)"
    }
}
