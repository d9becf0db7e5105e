import PKI

/// Keys that tests share: making RSA keys takes most of the suite's time.
actor TestKeys {
    static let shared = TestKeys()

    private var keys: [KeyAlgorithm: Task<KeyPair, any Error>] = [:]

    func pair(_ algorithm: KeyAlgorithm) async throws -> KeyPair {
        if let key = keys[algorithm] { return try await key.value }
        let key = Task { try await KeyPair.generate(algorithm) }
        keys[algorithm] = key
        return try await key.value
    }
}

/// The key of `algorithm` that all tests share.
func sharedKeyPair(_ algorithm: KeyAlgorithm) async throws -> KeyPair {
    try await TestKeys.shared.pair(algorithm)
}

/// Numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
