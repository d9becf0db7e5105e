import Diagnostics
import HTTPTransport
import TestSupport
import Testing
import Timekeeping

@testable import ACME

@Suite("An account") struct AccountTests {
    private let clock = VirtualClock()
    private let server: InMemoryACMEServer

    init() { server = InMemoryACMEServer(clock: clock) }

    private var deadline: UnixInstant { clock.now.advanced(by: .seconds(300)) }

    private func discovered() async throws -> ACMEServer {
        let transport = ACMETransport(
            executor: server, userAgent: "tests/1", clock: clock, jitter: { $0.lowerBound })
        return try await ACMEServer.discover(
            ResourceURL(InMemoryACMEServer.directory), over: transport, deadline: deadline)
    }

    private func account() async throws -> Account {
        try await discovered().register(
            .generate(), contacts: ["ops@example.com"], termsOfServiceAgreed: true, deadline: deadline)
    }

    @Test("is the same for the same key, and found by it")
    func sameKey() async throws {
        let key = AccountKey.generate()
        let directory = try await discovered()
        await #expect(throws: ACMEError.self) { try await directory.account(of: key, deadline: deadline) }
        let first = try await directory.register(
            key, contacts: ["ops@example.com"], termsOfServiceAgreed: true, deadline: deadline)
        let again = try await directory.register(key, contacts: [], termsOfServiceAgreed: true, deadline: deadline)
        #expect(first.url == again.url)
        #expect(try await directory.account(of: key, deadline: deadline).url == first.url)
        #expect(server.requests.contains { $0.payload.contains(#""contact":["mailto:ops@example.com"]"#) })
    }

    @Test("gets another key, and the old one is worth nothing then")
    func keyChange() async throws {
        let old = try await account()
        let new = try await old.changingKey(to: .generate(), deadline: deadline)
        #expect(new.url == old.url)
        _ = try await new.newOrder([.dns("example.com")], deadline: deadline)
        let error = await #expect(throws: ACMEError.self) {
            try await old.newOrder([.dns("example.com")], deadline: deadline)
        }
        #expect(error?.code == .problem(.malformed))
    }

    @Test("keeps its key through its stored form, and prints it nowhere")
    func storedKey() throws {
        let key = AccountKey.generate()
        let stored = key.jwk
        #expect(try AccountKey(jwk: stored).thumbprint == key.thumbprint)
        #expect("\(key) \(String(reflecting: key)) \(stored)".contains("redacted"))
        let d = try #require(stored.exposed.split(separator: "\"").first { $0.utf8.count == 43 })
        #expect(!"\(key) \(stored)".contains(d))
    }

    @Test(
        "has no key that cannot be read, nor one whose halves do not belong together",
        arguments: [
            "", "{}", #"{"kty":"RSA"}"#, #"{"kty":"EC","crv":"P-256","d":"AA","x":"AA","y":"AA"}"#,
            #"{"kty":"EC","crv":"P-256","d":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA","x":"AA","y":"AA"}"#,
        ])
    func unreadableKey(text: String) {
        let error = #expect(throws: ACMEError.self) { try AccountKey(jwk: Redacted(text)) }
        #expect(error?.code == .invalidKey)
        #expect(error?.message.contains("AQID") == false)
    }

    @Test("has the thumbprint that RFC 7638 prescribes, which depends on nothing but the public key")
    func thumbprint() throws {
        // A key of RFC 7515, appendix A.3; the digest was computed with hashlib.
        let key = try AccountKey(
            jwk: Redacted(
                #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
                    + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#
            ))
        #expect(key.thumbprint == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
        #expect(key.keyAuthorization(token: "abc")?.exposed == "abc.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
    }

    @Test("answers no token that could leave its place", arguments: ["", "../x", "a b", "a/b", "ä", "a\n"])
    func badToken(token: String) {
        #expect(AccountKey.generate().keyAuthorization(token: token) == nil)
    }

    @Test("is bound to a customer's account by an HMAC that a library of another language computes as well")
    func externalAccount() throws {
        let external = try ExternalAccount(keyID: "kid-1", hmacKey: Redacted("AAECAwQFBgcICQoLDA0ODw=="))
        let key = try AccountKey(
            jwk: Redacted(
                #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
                    + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#
            ))
        let binding = external.binding(of: key, at: try ResourceURL("https://ca.test/account"))
        #expect(binding.contains(#""signature":"kthhYxz4L-xkVR4YOZFmsHG-OINrL6mhAO9Y2H-rF0M""#))
    }

    @Test(
        "of a customer is the same in base64 and in base64url, padded or not",
        arguments: ["-__-_w", "-__-_w==", "+//+/w", "+//+/w=="])
    func bothAlphabets(text: String) throws {
        let key = AccountKey.generate()
        let url = try ResourceURL("https://ca.test/account")
        func signature(_ text: String) throws -> Substring? {
            try ExternalAccount(keyID: "kid-1", hmacKey: Redacted(text)).binding(of: key, at: url)
                .split(separator: #""signature":""#).last
        }
        #expect(try signature(text) == signature("-__-_w"))
        #expect(try signature(text) != signature("AAEC"))
    }

    @Test(
        "is refused by a problem without words in a sentence that has no empty part",
        arguments: ["", " ", #"\u0007"#])
    func noWords(detail: String) async throws {
        let account = try await account()
        server.change {
            $0.fault = { request, _ in
                request.name == "order" ? .refused("rejectedIdentifier", 400, detail: detail) : nil
            }
        }
        let error = await #expect(throws: ACMEError.self) {
            try await account.newOrder([.dns("example.com")], deadline: deadline)
        }
        #expect(error?.message == "ca.test refused newOrder with rejectedIdentifier (HTTP 400).")
        #expect(error?.problem?.summary() == "rejectedIdentifier")
    }

    @Test("of a customer is refused without saying its key", arguments: ["", "a\"b", "a\\b", "ä"])
    func badExternalAccount(keyID: String) {
        #expect(throws: ACMEError.self) { try ExternalAccount(keyID: keyID, hmacKey: Redacted("AAEC")) }
        let error = #expect(throws: ACMEError.self) { try ExternalAccount(keyID: "a", hmacKey: Redacted("se:cret")) }
        #expect(error?.message.contains("cret") == false)
    }

    @Test("revokes a certificate once, and again is success")
    func revocation() async throws {
        let account = try await account()
        try await account.revoke([1, 2, 3], reason: 4, deadline: deadline)
        server.change {
            $0.fault = { request, _ in request.name == "revoke" ? .refused("alreadyRevoked", 400) : nil }
        }
        try await account.revoke([1, 2, 3], reason: 4, deadline: deadline)
        #expect(server.revokedCertificates == [#"{"certificate":"AQID","reason":4}"#])
    }

    @Test("waits as long as a busy server asks, if that is a moment, and tells of longer waits")
    func retryAfter() async throws {
        let account = try await account()
        server.change {
            $0.fault = { request, ordinal in
                request.name == "order" && ordinal < 6
                    ? .refused("rateLimited", 429, ["Retry-After": "3"]) : nil
            }
        }
        let before = clock.now
        _ = try await account.newOrder([.dns("example.com")], deadline: deadline)
        #expect(before.duration(to: clock.now) >= .seconds(3))
        server.change {
            $0.fault = { request, _ in
                request.name == "order" ? .refused("rateLimited", 429, ["Retry-After": "7200"]) : nil
            }
        }
        let asked = server.count("order")
        let error = await #expect(throws: ACMEError.self) {
            try await account.newOrder([.dns("example.com")], deadline: deadline)
        }
        #expect(server.count("order") == asked + 1)
        #expect(error?.retryAt == clock.now.advanced(by: .seconds(7200)))
        #expect(
            error?.message.contains("ca.test refused newOrder with rateLimited (HTTP 429): Told by the server.") == true
        )
        #expect(error?.message.contains("It asks to wait until") == true)
    }

    @Test("asks when its certificate is to be renewed, and takes no window that ends before it begins")
    func renewalInfo() async throws {
        let id = try #require(CertificateID("AAAA.BBBB"))
        #expect(try await discovered().renewalInfo(of: id, deadline: deadline) == nil)
        let start = UnixInstant(seconds: 1_800_100_000)
        server.change { $0.renewalWindow = (start, UnixInstant(seconds: 1_800_200_000)) }
        let info = try #require(try await discovered().renewalInfo(of: id, deadline: deadline))
        #expect(info.start == start)
        #expect(info.askAgainAt == clock.now.advanced(by: .seconds(21_600)))
        server.change { $0.renewalWindow = (start, start) }
        #expect(try await discovered().renewalInfo(of: id, deadline: deadline) == nil)
    }

    @Test(
        "is never asked for at an address that is none",
        arguments: [
            "", "http://ca.test/", "https://", "https:///x", "https://a@b/", "https://ca.test/a b",
            "https://ca.test/#f",
            "https://ca.test/\"", "ca.test",
        ])
    func badURL(text: String) {
        let error = #expect(throws: ACMEError.self) { try ResourceURL(text) }
        #expect(error?.code == .invalidURL)
    }
}
