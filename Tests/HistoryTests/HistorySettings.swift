import FoundationEssentials
import Glibc

/// What the environment says about a run: `make soak` raises it.
enum HistorySettings {
    /// `STACKCERT_HISTORIES`: how many histories are played in all.
    static var count: Int { number("STACKCERT_HISTORIES") ?? 1000 }

    /// `STACKCERT_HISTORY_SEED`: the first random history's seed.
    static var seed: UInt64 { number("STACKCERT_HISTORY_SEED").map { UInt64($0.magnitude) } ?? 20_261_120 }

    /// Whether each Let's Encrypt history is played, or one in four of them: they take a hundred requests each.
    static var isExhaustive: Bool { count > 1000 }

    /// `STACKCERT_HISTORY_FILE`: a JSON history to be played again.
    static var file: String? { environment("STACKCERT_HISTORY_FILE") }

    private static func number(_ name: String) -> Int? { environment(name).flatMap { Int($0) } }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}

extension History {
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    init(json: [UInt8]) throws {
        self = try JSONDecoder().decode(History.self, from: Data(json))
    }
}
