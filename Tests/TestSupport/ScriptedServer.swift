internal import NIOCore
package import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// What the server saw.
package struct ReceivedRequest: Sendable {
    package let method: String
    package let path: String
    package let fields: HTTPHeaders
    package let body: [UInt8]
    /// Which connection it came on; the first is 1.
    package let connection: Int

    package var call: String { "\(method) \(path)" }
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// What the server does with one request.
package enum ScriptedAnswer: Sendable {
    case answer(Int, [String: String] = [:], body: [UInt8] = [])
    /// Answers and closes the connection without having said so: the client's pooled connection is stale.
    case answerAndHangUp(Int, [String: String] = [:], body: [UInt8] = [])
    case hangUp
    case silence
}

/// Runs `body` with the port of a server on the loopback interface that answers one request after the other from the
/// script; after its end every request is answered with 500.
package func withScriptedServer(
    _ script: [ScriptedAnswer], _ body: (_ port: Int) async throws -> Void
) async throws -> [ReceivedRequest] {
    let play = Play(script)
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                try channel.pipeline.syncOperations.addHandler(Player(play))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    do {
        try await body(server.localAddress?.port ?? 0)
    } catch {
        try await server.close()
        throw error
    }
    try await server.close()
    return play.received
}

/// The script and what came, shared by all connections.
private final class Play: Sendable {
    private struct State {
        var rest: ArraySlice<ScriptedAnswer>
        var received: [ReceivedRequest] = []
        var connections = 0
    }
    private let state: Mutex<State>

    init(_ script: [ScriptedAnswer]) {
        self.state = Mutex(State(rest: script[...]))
    }

    var received: [ReceivedRequest] { state.withLock { $0.received } }

    func connected() -> Int {
        state.withLock {
            $0.connections += 1
            return $0.connections
        }
    }

    func answer(to request: ReceivedRequest) -> ScriptedAnswer {
        state.withLock {
            $0.received.append(request)
            return $0.rest.popFirst() ?? .answer(500)
        }
    }
}

/// One connection's handler.
private final class Player: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let play: Play
    private var connection = 0
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ play: Play) { self.play = play }

    func channelActive(context: ChannelHandlerContext) {
        connection = play.connected()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let part):
            body += part.readableBytesView
        case .end:
            guard let head else { return }
            let request = ReceivedRequest(
                method: head.method.rawValue, path: head.uri, fields: head.headers, body: body,
                connection: connection)
            switch play.answer(to: request) {
            case .answer(let status, let fields, let body):
                respond(status, fields, body, context)
                context.flush()
            case .answerAndHangUp(let status, let fields, let body):
                respond(status, fields, body, context)
                context.flush()
                context.close(promise: nil)
            case .hangUp:
                context.close(promise: nil)
            case .silence:
                break
            }
        }
    }

    private func respond(
        _ status: Int, _ fields: [String: String], _ body: [UInt8], _ context: ChannelHandlerContext
    ) {
        var headers = HTTPHeaders(fields.sorted { $0.key < $1.key })
        headers.add(name: "Content-Length", value: "\(body.count)")
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
