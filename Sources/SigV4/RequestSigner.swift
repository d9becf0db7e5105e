internal import Crypto
internal import Diagnostics
package import HTTPTypes
package import Timekeeping

/// Signs requests with AWS Signature Version 4, in a field or in the query.
///
/// Pure: the same input gives the same signature. Paths and queries must be percent-encoded as they will be sent.
/// Source: AWS, "AWS Signature Version 4 for API requests"; held against botocore's signatures in the tests.
package struct RequestSigner: Sendable {
    /// What the signature says about the body.
    package enum Payload: Sendable {
        /// The body is covered by the signature.
        case bytes([UInt8])
        /// The body is not covered; only TLS protects it.
        case unsigned
    }

    private let service: String
    private let region: String

    /// - Parameters:
    ///   - service: the name in the credential scope, such as `s3` or `sts`.
    ///   - region: the region in the credential scope; a partition's home region for its global services.
    package init(service: String, region: String) {
        self.service = service
        self.region = region
    }

    /// The request with `X-Amz-Date`, `Authorization` and, where they apply, `X-Amz-Security-Token` and
    /// `X-Amz-Content-SHA256`. Earlier values of these are replaced, so that a retry can be signed again.
    package func sign(
        _ request: HTTPRequest, payload: Payload, credentials: SigningCredentials, at instant: UnixInstant
    ) -> HTTPRequest {
        var signed = request
        signed.headerFields[.authorization] = nil
        signed.headerFields[.date] = nil
        signed.headerFields[named: "x-amz-date"] = instant.basicISO8601
        signed.headerFields[named: "x-amz-security-token"] = credentials.sessionToken?.exposed
        let payloadHash: String
        switch payload {
        case .bytes(let body):
            payloadHash = hexadecimal(SHA256.hash(data: body))
            signed.headerFields[named: "x-amz-content-sha256"] = isS3 ? payloadHash : nil
        case .unsigned:
            payloadHash = unsignedPayload
            signed.headerFields[named: "x-amz-content-sha256"] = payloadHash
        }

        let canonical = CanonicalRequest(signed, payloadHash: payloadHash, keepsPath: isS3)
        let signature = signature(of: canonical, credentials: credentials, at: instant)
        signed.headerFields[.authorization] =
            "\(algorithm) Credential=\(credentials.accessKeyID)/\(scope(at: instant)), "
            + "SignedHeaders=\(canonical.signedFieldNames), Signature=\(signature)"
        return signed
    }

    /// The request with the signature in its query, for somebody without keys. Its body is not covered for S3 and
    /// must be empty for every other service.
    ///
    /// - Parameter duration: how long the request works: whole seconds, seven days at most.
    package func presign(
        _ request: HTTPRequest, credentials: SigningCredentials, at instant: UnixInstant, expiresIn duration: Duration
    ) -> HTTPRequest {
        var signed = request
        let names = CanonicalRequest(request, payloadHash: "", keepsPath: isS3).signedFieldNames
        var parameters = [
            ("X-Amz-Algorithm", algorithm),
            ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(at: instant))"),
            ("X-Amz-Date", instant.basicISO8601),
            ("X-Amz-Expires", String(duration.components.seconds)),
            ("X-Amz-SignedHeaders", names),
        ]
        if let token = credentials.sessionToken {
            parameters.append(("X-Amz-Security-Token", token.exposed))
        }
        let query = parameters.map { "\($0.0)=\($0.1.uriEncoded())" }.joined(separator: "&")
        let path = request.path ?? "/"
        let target = path + (path.contains("?") ? "&" : "?") + query
        signed.path = target

        let payloadHash = isS3 ? unsignedPayload : hexadecimal(SHA256.hash(data: [UInt8]()))
        let canonical = CanonicalRequest(signed, payloadHash: payloadHash, keepsPath: isS3)
        signed.path = target + "&X-Amz-Signature=" + signature(of: canonical, credentials: credentials, at: instant)
        return signed
    }

    private var isS3: Bool { service == "s3" }

    private func scope(at instant: UnixInstant) -> String {
        "\(instant.basicISO8601.prefix(8))/\(region)/\(service)/aws4_request"
    }

    private func signature(
        of canonical: CanonicalRequest, credentials: SigningCredentials, at instant: UnixInstant
    ) -> String {
        let stringToSign = [
            algorithm, instant.basicISO8601, scope(at: instant),
            hexadecimal(SHA256.hash(data: Array(canonical.text.utf8))),
        ].joined(separator: "\n")

        var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey.exposed)".utf8))
        for part in scope(at: instant).split(separator: "/") {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(stringToSign.utf8), using: key))
    }
}

private let algorithm = "AWS4-HMAC-SHA256"
private let unsignedPayload = "UNSIGNED-PAYLOAD"

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
