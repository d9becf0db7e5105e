import FoundationEssentials
import HTTPTypes
import SigV4
import Testing
import Timekeeping

@Suite struct RequestSignerTests {
    @Test("Every request is signed as botocore signs it", arguments: vectorFiles)
    func likeBotocore(file: String) throws {
        let vectors = try SignatureVector.read(file)
        #expect(vectors.count > 300)
        for vector in vectors {
            let signer = RequestSigner(service: vector.service, region: vector.region)
            if vector.isPresigned {
                let signed = signer.presign(
                    vector.request, credentials: vector.credentials, at: vector.date,
                    expiresIn: .seconds(vector.expires))
                #expect(signed.path == vector.expected, "\(vector.name)")
            } else {
                let fields = signer.sign(
                    vector.request, payload: vector.payload, credentials: vector.credentials, at: vector.date
                ).headerFields
                #expect(fields[.authorization] == vector.expected, "\(vector.name)")
                #expect(fields[named: "x-amz-date"] == vector.dateField)
                #expect(fields[named: "x-amz-content-sha256"] ?? "" == vector.hashField)
                #expect(fields[named: "x-amz-security-token"] ?? "" == vector.tokenField)
            }
        }
    }

    @Test("Signing a signed request again replaces what the first time added")
    func again() {
        let signer = RequestSigner(service: "s3", region: "eu-west-1")
        let request = HTTPRequest(method: .put, scheme: "https", authority: "b.s3.amazonaws.com", path: "/k")
        let old = SigningCredentials(accessKeyID: "OLD", secretAccessKey: "old", sessionToken: "old token")
        let new = SigningCredentials(accessKeyID: "NEW", secretAccessKey: "new")
        let first = signer.sign(
            request, payload: .bytes([1]), credentials: old, at: UnixInstant(seconds: 1_800_000_000))
        let second = signer.sign(
            first, payload: .bytes([2]), credentials: new, at: UnixInstant(seconds: 1_800_000_100))
        let fresh = signer.sign(
            request, payload: .bytes([2]), credentials: new, at: UnixInstant(seconds: 1_800_000_100))
        #expect(second == fresh)
    }

    @Test("Credentials show nothing of themselves, however they are printed")
    func redacted() {
        let credentials = SigningCredentials(
            accessKeyID: "AKIDEXAMPLE", secretAccessKey: "the secret", sessionToken: "the token")
        var dumped = ""
        dump(credentials, to: &dumped)
        dump([credentials: Optional(credentials)], to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), "\([credentials])", dumped] {
            #expect(!text.contains("AKID") && !text.contains("the "))
        }
    }

    /// The committed vectors and, when the variable names a file, fresh ones from `generate.py --seed`.
    fileprivate static let vectorFiles: [String] = {
        let committed = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let fresh = ProcessInfo.processInfo.environment["STACKCERT_SIGV4_VECTORS"]
        return ["/\(committed)/Fixtures/vectors.json"] + (fresh.map { [$0] } ?? [])
    }()
}
