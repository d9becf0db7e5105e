import Diagnostics
import NIOCore
import NIOPosix
import NIOSSL
import PKI
import Testing
import Timekeeping

/// NIOSSL, which is BoringSSL, serves the certificates, and its client knows a server by its key as Classic ELB does.
///
/// As a trust root BoringSSL takes no certificate that may not sign certificates, so the client cannot be given ours.
@Suite struct TLSHandshakeTests {
    @Test(
        "A client that knows the public key talks to the server", arguments: [KeyAlgorithm.rsa2048, .ecP256, .ecP384])
    func trusted(algorithm: KeyAlgorithm) async throws {
        let pair = try await sharedKeyPair(algorithm)
        #expect(try await echo(serving: pair, trusting: pair.publicKey) == "hello")
    }

    @Test("A server with another key is refused")
    func untrusted() async throws {
        let pair = try await sharedKeyPair(.ecP256)
        let other = try await sharedKeyPair(.ecP384)
        await #expect(throws: NIOSSLError.self) { try await echo(serving: pair, trusting: other.publicKey) }
    }

    private static func certificate(_ pair: KeyPair) throws -> IssuedCertificate {
        let now = SystemWallClock().now
        return try pair.selfSigned(
            SelfSignedCertificateTests.profile(
                ["example.com", "*.example.com"], commonName: "example.com", from: now.advanced(by: .seconds(-3600)),
                to: now.advanced(by: .days(1))))
    }

    /// Sends "hello" through a connection and returns what came back.
    private func echo(serving pair: KeyPair, trusting publicKey: PublicKeyInfo) async throws -> String {
        let certificate = try TLSHandshakeTests.certificate(pair)
        let serverContext = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(NIOSSLCertificate(bytes: Array(certificate.pem.utf8), format: .pem))],
                privateKey: .privateKey(
                    NIOSSLPrivateKey(bytes: Array(pair.privateKeyPEM.exposed.utf8), format: .pem))))
        let clientContext = try NIOSSLContext(configuration: .makeClientConfiguration())

        let group = MultiThreadedEventLoopGroup.singleton
        let listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLServerHandler(context: serverContext), EchoHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let answer = group.next().makePromise(of: String.self)
        do {
            let client = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers(
                            NIOSSLClientHandler(
                                context: clientContext, serverHostname: "app.example.com",
                                customVerificationCallback: { chain, result in
                                    let served = try? chain.first?.extractPublicKey().toSPKIBytes()
                                    result.succeed(served == publicKey.der ? .certificateVerified : .failed)
                                }),
                            AnswerHandler(answer: answer))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
            client.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
        } catch {
            answer.fail(error)
        }
        let result = await Result { try await answer.futureResult.get() }
        try await listener.close()
        return try result.get()
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<String>

    init(answer: EventLoopPromise<String>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answer.succeed(String(buffer: unwrapInboundIn(data)))
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(ChannelError.eof)
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
