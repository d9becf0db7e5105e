internal import FoundationEssentials
package import HTTPTransport
internal import HTTPTypes
package import Logging
package import Timekeeping

/// Carries requests to one ACME server: nonces, signatures, retries, problems (RFC 8555, section 6). Copies share their
/// nonces.
package struct ACMETransport: Sendable {
    let clock: any WallClock
    private let executor: any HTTPExecutor
    private let userAgent: String
    private let retry: RetryPolicy
    private let jitter: @Sendable (ClosedRange<Int64>) -> Int64
    private let logger: Logger?
    private let nonces = NoncePool()

    /// - Parameters:
    ///   - userAgent: the program's name and version (section 6.1).
    ///   - jitter: picks a wait, in milliseconds; tests pick their own.
    ///   - logger: the task's own logger when nil. No body, no token and no address of an account is ever logged.
    package init(
        executor: any HTTPExecutor, userAgent: String, clock: any WallClock, retry: RetryPolicy = RetryPolicy(),
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }, logger: Logger? = nil
    ) {
        self.executor = executor
        self.userAgent = userAgent
        self.clock = clock
        self.retry = retry
        self.jitter = jitter
        self.logger = logger
    }

    /// A request without a signature: the directory and renewal information.
    ///
    /// - Parameter name: how messages call the request.
    func get(_ url: ResourceURL, _ name: String, deadline: UnixInstant) async throws -> Answer {
        try await repeating(name, deadline: deadline) {
            try await attempt(url.request(.get), [], name, url, hiding: [], deadline: deadline)
        }
    }

    /// A signed request (section 6.2). Without a payload it is a POST-as-GET (section 6.3).
    ///
    /// - Parameters:
    ///   - name: how messages call the request.
    ///   - hiding: texts that must not appear in an error.
    func post(
        _ payload: [UInt8] = [], to url: ResourceURL, _ name: String, by signer: RequestSigner,
        at directory: Directory, hiding secrets: [String] = [], deadline: UnixInstant
    ) async throws -> Answer {
        try await repeating(name, deadline: deadline) {
            var refusals = 0
            while true {
                let nonce = try await nonce(from: directory, deadline: deadline)
                var request = url.request(.post)
                request.headerFields[.contentType] = "application/jose+json"
                let body = Array(try signer.sign(payload, for: url, nonce: nonce).utf8)
                do {
                    return try await attempt(request, body, name, url, hiding: secrets, deadline: deadline)
                } catch let error as ACMEError
                    where error.code == .problem(.badNonce) && refusals < Self.maximumNonces
                {
                    // The refusal brought another one. Nothing was carried out, so nothing has to be waited for.
                    refusals += 1
                }
            }
        }
    }

    /// A server that forgets nine of ten nonces must not stop an issuance.
    private static let maximumNonces = 250
    /// A connection that died silently must not use up the deadline.
    private static let attemptTimeout = Duration.seconds(30)
    /// A longer wait is the caller's to decide on.
    private static let longestPause = Duration.seconds(30)

    private func nonce(from directory: Directory, deadline: UnixInstant) async throws -> String {
        if let nonce = nonces.take() { return nonce }
        let answer = try await attempt(
            directory.newNonce.request(.head), [], "newNonce", directory.newNonce, hiding: [], deadline: deadline,
            keepsNonce: false)
        guard let nonce = answer.nonce, Base64URL.isValid(nonce) else {
            throw ACMEError(.invalidAnswer, "\(directory.newNonce.host) answered newNonce without a nonce.")
        }
        return nonce
    }

    private func repeating(
        _ name: String, deadline: UnixInstant, _ attempt: () async throws -> Answer
    ) async throws -> Answer {
        try await retry.run(
            until: deadline, clock: clock, jitter: jitter,
            classify: { error in
                guard let error = error as? ACMEError, error.isPassing else { return .giveUp }
                let pause = error.retryAt.map { clock.now.duration(to: $0) }
                if let pause, pause > Self.longestPause { return .giveUp }
                (logger ?? .current).info(
                    "ACME request is tried again", metadata: ["acme.request": "\(name)", "error.message": "\(error)"])
                return .retry(after: pause)
            }
        ) { _ in try await attempt() }
    }

    private func attempt(
        _ request: HTTPRequest, _ body: [UInt8], _ name: String, _ url: ResourceURL, hiding secrets: [String],
        deadline: UnixInstant, keepsNonce: Bool = true
    ) async throws -> Answer {
        var request = request
        request.headerFields[.userAgent] = userAgent
        let exchange: HTTPExchange
        do {
            let timeout = min(deadline, clock.now.advanced(by: Self.attemptTimeout))
            exchange = try await executor.execute(request, body: body, deadline: timeout)
        } catch let error as TransportError {
            throw ACMEError(.unreachable, "\(name) at \(url.host): \(error.message)", cause: error)
        }
        let answer = Answer(exchange, of: name, from: url, now: clock.now)
        if keepsNonce { nonces.put(answer.nonce) }
        guard (200..<300).contains(exchange.status) else {
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(exchange.errorBody))
            throw ACMEError(
                problem ?? Problem(type: .none), status: exchange.status, of: name, at: url.host,
                retryAt: answer.retryAt, hiding: secrets)
        }
        return answer
    }
}

extension ACMEError {
    /// Whether the same request may succeed in a moment.
    fileprivate var isPassing: Bool {
        switch code {
        case .unreachable: true
        // A limit that lets up within seconds is one on how fast we ask.
        case .problem(.rateLimited): retryAt != nil
        case .problem(.serverInternal): true
        case .problem(.none): true
        default: false
        }
    }
}
