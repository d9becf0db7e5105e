internal import AsyncHTTPClient
internal import Glibc
package import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
package import Timekeeping

/// ``HTTPExecutor`` over async-http-client.
package struct NetworkExecutor: HTTPExecutor {
    private let client: HTTPClient
    private let clock: any WallClock
    private let maximumResponseBytes: Int

    /// Runs `body` with an executor whose connections are closed when it returns.
    ///
    /// - Parameters:
    ///   - idleTimeout: how long a connection is kept for reuse. Short in Lambda: a frozen process comes back with
    ///     connections that the peer closed long ago.
    ///   - connectTimeout: the limit for one connection attempt.
    ///   - trustedRoots: a PEM file of certificate authorities that are trusted beside the system's, such as a company's
    ///     own: what the environment variable `SSL_CERT_FILE` names.
    ///   - maximumResponseBytes: a longer response fails with ``TransportError/Code/responseTooLarge``.
    package static func with<Result>(
        clock: any WallClock = SystemWallClock(),
        idleTimeout: Duration = .seconds(5),
        connectTimeout: Duration = .seconds(5),
        trustedRoots: String? = nil,
        maximumResponseBytes: Int = 16 << 20,
        _ body: (NetworkExecutor) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .milliseconds(connectTimeout.wholeMilliseconds)
        configuration.connectionPool.idleTimeout = .milliseconds(idleTimeout.wholeMilliseconds)
        if let trustedRoots, !trustedRoots.isEmpty {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.additionalTrustRoots = [.certificates(try certificates(in: trustedRoots))]
            configuration.tlsConfiguration = tls
        }
        // RetryPolicy is the only one that retries.
        configuration.connectionPool.retryConnectionEstablishment = false
        // A few requests at a time: a thread for each core would only take memory and time to start.
        let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let result = try await HTTPClient.withHTTPClient(eventLoopGroup: threads, configuration: configuration) {
                try await body(NetworkExecutor(client: $0, clock: clock, maximumResponseBytes: maximumResponseBytes))
            }
            try await threads.shutdownGracefully()
            return result
        } catch {
            try? await threads.shutdownGracefully()
            throw error
        }
    }

    /// Read at once: a file that is not there would otherwise fail each connection, and nobody would see why.
    private static func certificates(in path: String) throws(TransportError) -> [NIOSSLCertificate] {
        do {
            let roots = try NIOSSLCertificate.fromPEMFile(path)
            if !roots.isEmpty { return roots }
        } catch {
            throw unreadable(path, cause: error)
        }
        throw unreadable(path)
    }

    private static func unreadable(_ path: String, cause: (any Error)? = nil) -> TransportError {
        TransportError(
            .rootsUnreadable,
            "SSL_CERT_FILE names the file \(path), from which no certificate can be read: let it name a file of "
                + "certificates in PEM that this process can read, or remove the variable.", cause: cause)
    }

    package func execute(
        _ request: HTTPRequest, body: [UInt8], deadline: UnixInstant
    ) async throws -> HTTPExchange {
        let outbound = try HTTPClientRequest(request, body: body)
        let remaining = clock.now.duration(to: deadline)
        guard remaining > .zero else {
            throw TransportError(.timedOut, "No time was left to call \(request.host).")
        }
        do {
            let response = try await client.execute(
                outbound, deadline: .now() + .milliseconds(remaining.wholeMilliseconds))
            let buffer = try await response.body.collect(upTo: maximumResponseBytes)
            return HTTPExchange(response: HTTPResponse(response), body: Array(buffer.readableBytesView))
        } catch {
            try Task.checkCancellation()
            throw TransportError(error, host: request.host)
        }
    }
}

extension HTTPRequest {
    /// The host alone: a path or a query may hold a signature and is never shown.
    fileprivate var host: String {
        let authority = self.authority ?? "an unnamed host"
        return String(authority.prefix { $0 != ":" })
    }
}

extension HTTPClientRequest {
    fileprivate init(_ request: HTTPRequest, body: [UInt8]) throws(TransportError) {
        guard let scheme = request.scheme, scheme == "https" || scheme == "http",
            let authority = request.authority, !authority.isEmpty,
            let path = request.path, path.hasPrefix("/")
        else {
            throw TransportError(.invalidRequest, "A request needs a scheme (http or https), a host and a path.")
        }
        self.init(url: "\(scheme)://\(authority)\(path)")
        method = HTTPMethod(rawValue: request.method.rawValue)
        headers = HTTPHeaders(request.headerFields.map { ($0.name.rawName, $0.value) })
        if !body.isEmpty || request.method == .put || request.method == .post {
            self.body = .bytes(ByteBuffer(bytes: body))
        }
    }
}

extension HTTPResponse {
    fileprivate init(_ response: HTTPClientResponse) {
        var fields = HTTPFields()
        for (name, value) in response.headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        self.init(status: HTTPResponse.Status(code: Int(response.status.code)), headerFields: fields)
    }
}

extension TransportError {
    fileprivate init(_ error: any Error, host: String) {
        switch error {
        case let error as HTTPClientError
        where [.deadlineExceeded, .readTimeout, .writeTimeout].contains(error):
            self.init(.timedOut, "\(host) did not answer in time.", cause: error)
        case let error as HTTPClientError where [.connectTimeout, .getConnectionFromPoolTimeout].contains(error):
            self.init(.connectFailed, "No connection to \(host) was to be had in time.", cause: error)
        case let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode):
            self.init(.connectFailed, "\(host) takes no connections.", cause: error)
        case is NIOConnectionError:
            self.init(.connectFailed, "No connection to \(host) could be made.", cause: error)
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            self.init(.connectionLost, "\(host) closed the connection.", cause: error)
        case is IOError, is ChannelError:
            self.init(.connectionLost, "The connection to \(host) was lost.", cause: error)
        case is NIOTooManyBytesError:
            self.init(.responseTooLarge, "The response of \(host) is too large.", cause: error)
        default:
            self.init(.failed, "The exchange with \(host) failed (\(type(of: error))).", cause: error)
        }
    }
}
