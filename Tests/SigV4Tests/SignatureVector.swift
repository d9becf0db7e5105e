import FoundationEssentials
import HTTPTypes
import SigV4
import Timekeeping

/// A request, and what botocore makes of it; written by Fixtures/generate.py.
struct SignatureVector: Sendable {
    let name: String
    let isPresigned: Bool
    let service: String
    let region: String
    let date: UnixInstant
    let request: HTTPRequest
    let payload: RequestSigner.Payload
    let credentials: SigningCredentials
    let expires: Int64
    /// `Authorization`, or for a presigned request its path and query.
    let expected: String
    let dateField: String
    let hashField: String
    let tokenField: String

    static func read(_ path: String) throws -> [SignatureVector] {
        let rows = try JSONDecoder().decode([Row].self, from: try Data(contentsOf: URL(filePath: path)))
        guard let first = rows.first else { return [] }
        return try rows.map { try SignatureVector($0, otherwise: first) }
    }

    /// A row has just what differs from the first one.
    private struct Row: Decodable {
        let name, expected: String
        let kind, service, region, date, method, scheme, authority, path, body, payload: String?
        let id, secret, token, dateField, hashField, tokenField: String?
        let fields: [[String]]?
        let expires: Int64?

        enum CodingKeys: String, CodingKey {
            case name, expected, kind, service, region, date, method, scheme, authority, path, body, payload
            case id, secret, token, fields, expires
            case dateField = "date_field"
            case hashField = "hash_field"
            case tokenField = "token_field"
        }
    }

    struct Malformed: Error {
        let name: String
    }

    private init(_ row: Row, otherwise first: Row) throws {
        func value<Value>(_ field: KeyPath<Row, Value?>) throws -> Value {
            guard let value = row[keyPath: field] ?? first[keyPath: field] else { throw Malformed(name: row.name) }
            return value
        }
        var fields = HTTPFields()
        for field in try value(\.fields) {
            guard field.count == 2, let name = HTTPField.Name(field[0]) else { throw Malformed(name: row.name) }
            fields.append(HTTPField(name: name, value: field[1]))
        }
        guard let method = HTTPRequest.Method(try value(\.method)),
            let date = UnixInstant(iso8601: try value(\.date).replacing("+00:00", with: "Z"))
        else { throw Malformed(name: row.name) }
        let token = try value(\.token)
        self.name = row.name
        self.isPresigned = try value(\.kind) == "presigned"
        self.service = try value(\.service)
        self.region = try value(\.region)
        self.date = date
        self.request = HTTPRequest(
            method: method, scheme: try value(\.scheme), authority: try value(\.authority), path: try value(\.path),
            headerFields: fields)
        self.payload = try value(\.payload) == "unsigned" ? .unsigned : .bytes(Array(try value(\.body).utf8))
        self.credentials = SigningCredentials(
            accessKeyID: try value(\.id), secretAccessKey: try value(\.secret),
            sessionToken: token.isEmpty ? nil : token)
        self.expires = try value(\.expires)
        self.expected = row.expected
        self.dateField = try value(\.dateField)
        self.hashField = try value(\.hashField)
        self.tokenField = try value(\.tokenField)
    }
}
