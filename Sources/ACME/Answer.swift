internal import FoundationEssentials
internal import HTTPTransport
internal import HTTPTypes
internal import Timekeeping

/// What a server answered to one request.
struct Answer: Sendable {
    let nonce: String?
    /// When the server wants to be asked again.
    let retryAt: UnixInstant?
    let body: [UInt8]
    /// The targets of `Link` fields with the relation `alternate` (RFC 8555, section 7.4.2).
    let alternates: [ResourceURL]
    private let location: String?
    private let name: String
    private let host: String

    init(_ exchange: HTTPExchange, of name: String, from url: ResourceURL, now: UnixInstant) {
        let fields = exchange.response.headerFields
        nonce = HTTPField.Name("Replay-Nonce").flatMap { fields[$0] }
        retryAt = fields[.retryAfter].flatMap { value in
            UInt32(value).map { now.advanced(by: .seconds(Int64($0))) } ?? UnixInstant(httpDate: value)
        }
        body = exchange.body
        location = fields[.location]
        alternates = HTTPField.Name("Link").map { fields[values: $0] }.map(Self.alternates) ?? []
        self.name = name
        self.host = url.host
    }

    /// - Throws: ``ACMEError/Code/invalidAnswer``.
    func decoded<Value: Decodable>(_ type: Value.Type) throws(ACMEError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw ACMEError(
                .invalidAnswer, "\(host) answered \(name) with something that RFC 8555 does not allow.", cause: error)
        }
    }

    /// The address of what was made.
    ///
    /// - Throws: ``ACMEError/Code/invalidAnswer``.
    func requiredLocation() throws(ACMEError) -> ResourceURL {
        guard let location, let url = try? ResourceURL(location) else {
            throw ACMEError(.invalidAnswer, "\(host) answered \(name) without saying where the result is.")
        }
        return url
    }

    /// `<https://…>;rel="alternate"`, several in one field with commas between them (RFC 8288).
    private static func alternates(in values: [String]) -> [ResourceURL] {
        values.flatMap { $0.split(separator: ",") }.compactMap { link in
            guard let begin = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">"), begin < end,
                link[end...].split(separator: ";").contains(where: {
                    ["rel=\"alternate\"", "rel=alternate"].contains($0.filter { $0 != " " }.lowercased())
                })
            else { return nil }
            return try? ResourceURL(String(link[begin..<end].dropFirst()))
        }
    }
}
