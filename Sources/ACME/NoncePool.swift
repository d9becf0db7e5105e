internal import Synchronization

/// The nonces that the server's answers brought, each for one use (RFC 8555, section 6.5).
final class NoncePool: Sendable {
    private let nonces = Mutex<[String]>([])

    /// More are not worth keeping: servers forget them.
    private static let capacity = 64

    /// The latest: it is the one that the server remembers longest, so that stale ones below it do no harm.
    func take() -> String? { nonces.withLock { $0.popLast() } }

    /// What is not base64url is no nonce (section 6.5.1).
    func put(_ nonce: String?) {
        guard let nonce, Base64URL.isValid(nonce), nonce.utf8.count <= 1024 else { return }
        nonces.withLock { nonces in
            if nonces.count >= Self.capacity { nonces.removeFirst() }
            nonces.append(nonce)
        }
    }
}
