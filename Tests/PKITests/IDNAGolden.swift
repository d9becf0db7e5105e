import Foundation

/// What Python's `idna` answered; `Fixtures/make_idna_golden.py` describes the members.
struct IDNAGolden: Decodable {
    struct Row: Decodable {
        let name: String
        /// nil when `idna` refuses the name.
        let answer: String?

        init(from decoder: any Decoder) throws {
            var row = try decoder.unkeyedContainer()
            self.name = try row.decode(String.self)
            self.answer = try row.decodeIfPresent(String.self)
        }
    }

    let expected: [Row]
    let corpus: [Row]
    let unchanged: [[UInt32]]
    let mapped: [String: String]

    static let shared = Result {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/idna.json")
        return try JSONDecoder().decode(IDNAGolden.self, from: Data(contentsOf: file))
    }
}
