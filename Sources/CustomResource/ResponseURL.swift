internal import Diagnostics
package import Timekeeping

/// The presigned URL to which one event's answer is PUT. Whoever has it can answer for us: it is never printed.
package struct ResponseURL: Sendable {
    let scheme: String
    let authority: String
    let pathAndQuery: Redacted<String>

    /// When CloudFormation signed the URL, which is when it issued the event; nil for a URL without `X-Amz-Date`.
    package let signedAt: UnixInstant?

    /// CloudFormation's own buckets, all of whose names begin so.
    private static let bucketPrefix = "cloudformation-custom-resource-response-"

    /// The DNS suffixes of the partitions: anything else is no AWS endpoint.
    private static let suffixes = [
        "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk",
        "csp.hci.ic.gov",
    ]

    /// - Parameter loopbackAllowed: also take `http://127.0.0.1:…`, for a cloud on this machine.
    package init(_ text: String, loopbackAllowed: Bool) throws(CustomResourceError) {
        guard text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .refused("is too long or has characters that no URL has")
        }
        guard let (scheme, authority, pathAndQuery) = Self.split(text) else {
            throw .refused("is not an absolute URL with a host and a path")
        }
        let path = pathAndQuery.prefix { $0 != "?" }
        if scheme == "http" {
            guard loopbackAllowed, Self.isLoopback(authority) else { throw .refused("is not https") }
        } else {
            guard scheme == "https" else { throw .refused("is not https") }
            guard Self.isResponseBucket(host: authority.lowercased(), path: path) else {
                throw .refused("does not lead to one of CloudFormation's own buckets (\(Self.bucketPrefix)…)")
            }
        }
        self.scheme = scheme
        self.authority = authority
        self.pathAndQuery = Redacted(pathAndQuery)
        let query = pathAndQuery.dropFirst(path.count).dropFirst()
        self.signedAt = query.split(separator: "&").lazy
            .first { $0.hasPrefix("X-Amz-Date=") }
            .flatMap { UnixInstant(iso8601: $0.dropFirst("X-Amz-Date=".count)) }
    }

    private static func split(_ text: String) -> (scheme: String, authority: String, pathAndQuery: String)? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let rest = text[colon...].dropFirst(3)
        guard let slash = rest.firstIndex(of: "/"), slash > rest.startIndex, !rest.contains("#") else { return nil }
        return (text[..<colon].lowercased(), String(rest[..<slash]), String(rest[slash...]))
    }

    private static func isLoopback(_ authority: String) -> Bool {
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && (parts[0] == "127.0.0.1" || parts[0] == "localhost") && UInt16(parts[1]) != nil
    }

    /// The bucket stands before the endpoint (virtual-hosted style) or first in the path (path style); the endpoint is
    /// `s3`, `s3-<region>` or `s3.[dualstack.]<region>` below a partition's suffix. User names and ports are refused.
    private static func isResponseBucket(host: String, path: Substring) -> Bool {
        guard host.utf8.allSatisfy({ $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }),
            let suffix = suffixes.first(where: { host.hasSuffix(".\($0)") })
        else { return false }
        let labels = host.dropLast(suffix.count + 1).split(separator: ".", omittingEmptySubsequences: false)
        guard let first = labels.first else { return false }
        if first.hasPrefix(bucketPrefix) { return isEndpoint(labels.dropFirst()) }
        return isEndpoint(labels[...]) && path.dropFirst().hasPrefix(bucketPrefix)
    }

    private static func isEndpoint(_ labels: ArraySlice<Substring>) -> Bool {
        guard let service = labels.first, labels.count <= 3, !labels.contains("") else { return false }
        let rest = labels.dropFirst()
        if service == "s3" || service == "s3-fips" { return rest.count <= 1 || rest.first == "dualstack" }
        return service.hasPrefix("s3-") && rest.isEmpty
    }
}

extension ResponseURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<redacted>" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [Mirror.Child]()) }
}

extension CustomResourceError {
    fileprivate static func refused(_ why: String) -> CustomResourceError {
        CustomResourceError(.responseURLRefused, "The event's ResponseURL \(why): it was not answered.")
    }
}
