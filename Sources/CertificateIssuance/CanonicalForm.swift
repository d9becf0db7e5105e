/// Bytes to be hashed: a purpose, then fields as tag, length (four bytes, big-endian) and UTF-8 text.
///
/// No two different values give the same bytes, and no library's encoder can change them: keys in S3 depend on it.
struct CanonicalForm {
    /// Fixed for ever: a tag is never reused.
    enum Tag: UInt8 {
        case stackID = 1
        case logicalResourceID = 2
        case appDomain = 3
        case appName = 4
        case bucket = 5
        case keyAlgorithm = 6
        case validityDays = 7
        case subjectAlternativeName = 8
        case rotation = 9
        case directory = 10
        case contact = 11
        case profile = 12
        case preferredChain = 13
        case importTarget = 14
        case importRegion = 15
        case importPath = 16
    }

    private(set) var bytes: [UInt8]

    /// - Parameter purpose: what the hash is for and its version, so that no two purposes share a value.
    init(_ purpose: StaticString) {
        bytes = Array(purpose.description.utf8) + [0]
    }

    mutating func append(_ tag: Tag, _ text: String) {
        let value = Array(text.utf8)
        bytes.append(tag.rawValue)
        let length = UInt32(truncatingIfNeeded: value.count)
        for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        bytes += value
    }
}
