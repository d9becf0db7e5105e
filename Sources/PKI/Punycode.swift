/// The Bootstring encoding of RFC 3492 with Punycode's parameters.
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26
    private static let initialBias = 72
    private static let initialN = 0x80
    private static let delimiter = UInt8(ascii: "-")

    /// Without the prefix `xn--`. The time taken grows with the square of the length: bound it first.
    static func encode(_ scalars: [Unicode.Scalar]) -> String {
        var output = scalars.filter(\.isASCII).map { UInt8(truncatingIfNeeded: $0.value) }
        let basicCount = output.count
        if basicCount > 0 { output.append(delimiter) }
        var handled = basicCount
        var n = initialN
        var delta = 0
        var bias = initialBias
        while handled < scalars.count, let next = scalars.lazy.map({ Int($0.value) }).filter({ $0 >= n }).min() {
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in scalars {
                let value = Int(scalar.value)
                if value < n { delta += 1 }
                guard value == n else { continue }
                appendInteger(delta, bias: bias, to: &output)
                bias = adapted(delta, points: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The inverse, for at most 63 lower-case characters; nil for what no encoder wrote.
    static func decode(_ text: some BidirectionalCollection<UInt8>) -> [Unicode.Scalar]? {
        guard text.count <= DomainLabel.maximumLength else { return nil }
        var output: [Unicode.Scalar] = []
        var rest = text[...]
        if let last = text.lastIndex(of: delimiter) {
            output = text[..<last].map { Unicode.Scalar($0) }
            rest = text[text.index(after: last)...]
        }
        let highestState = 0x11_0000 * (DomainLabel.maximumLength + 1)
        var n = initialN
        var i = 0
        var bias = initialBias
        while !rest.isEmpty {
            let start = i
            var weight = 1
            var k = base
            while true {
                guard let character = rest.popFirst(), let digit = value(of: character) else { return nil }
                i += digit * weight
                // Each further digit is at least 1, so this bounds the weight too: nothing can overflow.
                guard i <= highestState else { return nil }
                let threshold = min(max(k - bias, tMin), tMax)
                if digit < threshold { break }
                weight *= base - threshold
                k += base
            }
            let points = output.count + 1
            bias = adapted(i - start, points: points, isFirst: start == 0)
            n += i / points
            i %= points
            guard let value = UInt32(exactly: n), let scalar = Unicode.Scalar(value) else { return nil }
            output.insert(scalar, at: i)
            i += 1
        }
        return output
    }

    private static func appendInteger(_ integer: Int, bias: Int, to output: inout [UInt8]) {
        var rest = integer
        var k = base
        while true {
            let threshold = min(max(k - bias, tMin), tMax)
            if rest < threshold { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            k += base
        }
        output.append(digit(rest))
    }

    /// RFC 3492, 6.1, with damp 700 and skew 38.
    private static func adapted(_ delta: Int, points: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / points
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + 38)
    }

    private static func digit(_ value: Int) -> UInt8 {
        value < 26 ? UInt8(ascii: "a") + UInt8(value) : UInt8(ascii: "0") + UInt8(value - 26)
    }

    private static func value(of character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character - UInt8(ascii: "a"))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character - UInt8(ascii: "0")) + 26
        default: nil
        }
    }
}
