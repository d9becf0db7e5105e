import AWSClient
import Testing
import Timekeeping

/// One thing that every S3 must do, told without knowing which S3 it is.
struct S3Scenario: Sendable, CustomTestStringConvertible {
    /// Where a scenario plays: below a prefix of its own in a versioned bucket.
    struct Place: Sendable {
        let s3: S3
        /// The same S3, called by somebody who expects another account to own the bucket.
        let strangersS3: S3
        let bucket: String
        let prefix: String
        let deadline: UnixInstant

        func put(_ key: String, _ text: String = "body") async throws -> String {
            let stored = try await s3.putObject(
                bucket: bucket, key: prefix + key, body: Array(text.utf8), deadline: deadline)
            return stored.versionID ?? ""
        }

        func code<Value>(of work: () async throws -> Value) async throws -> AWSError.Code? {
            do {
                _ = try await work()
                return nil
            } catch let error as AWSError {
                return error.code
            }
        }
    }

    let name: String
    let play: @Sendable (Place) async throws -> Void

    init(_ name: String, _ play: @escaping @Sendable (Place) async throws -> Void) {
        self.name = name
        self.play = play
    }

    var testDescription: String { name }

    static let all = writing + reading + deleting + listing
}

extension S3Scenario {
    static let writing = [
        S3Scenario("an object comes back as it was written") { place in
            let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let stored = try await place.s3.putObject(
                bucket: place.bucket, key: place.prefix + "a", body: body, contentType: "application/json",
                metadata: ["generation": "0123", "public-key": "MIIB+/=="], encryption: .aes256,
                deadline: place.deadline)
            let (head, read) = try await place.s3.getObject(
                bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
            #expect(read == body)
            #expect(head.etag == stored.etag && head.versionID == stored.versionID && stored.versionID != nil)
            #expect(head.metadata == ["generation": "0123", "public-key": "MIIB+/=="])
            #expect(head.lastModified != nil)
            let looked = try await place.s3.headObject(
                bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
            #expect(looked.contentLength == body.count && looked.metadata == head.metadata)
            #expect(looked.etag == head.etag && looked.versionID == head.versionID)
        },
        S3Scenario("an object may be empty") { place in
            _ = try await place.put("empty", "")
            let (head, body) = try await place.s3.getObject(
                bucket: place.bucket, key: place.prefix + "empty", deadline: place.deadline)
            #expect(body.isEmpty && head.contentLength == 0)
        },
        S3Scenario("a write with If-None-Match never replaces an object") { place in
            _ = try await place.s3.putObject(
                bucket: place.bucket, key: place.prefix + "a", body: [1], ifNoneMatch: true, deadline: place.deadline)
            let code = try await place.code {
                try await place.s3.putObject(
                    bucket: place.bucket, key: place.prefix + "a", body: [2], ifNoneMatch: true,
                    deadline: place.deadline)
            }
            #expect(code == .preconditionFailed)
            let read = try await place.s3.getObject(
                bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
            #expect(read.body == [1])
        },
        S3Scenario("of many writes with If-None-Match at once, one wins") { place in
            let outcomes = await withTaskGroup(of: AWSError.Code?.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        try? await place.code {
                            try await place.s3.putObject(
                                bucket: place.bucket, key: place.prefix + "race", body: [UInt8(number)],
                                ifNoneMatch: true, deadline: place.deadline)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == nil }.count == 1)
            #expect(outcomes.filter { $0 == .preconditionFailed }.count == 11)
        },
        S3Scenario("a write with If-Match replaces just the object that was seen") { place in
            let first = try await place.s3.putObject(
                bucket: place.bucket, key: place.prefix + "a", body: [1], deadline: place.deadline)
            _ = try await place.s3.putObject(
                bucket: place.bucket, key: place.prefix + "a", body: [2], ifMatch: first.etag,
                deadline: place.deadline)
            let code = try await place.code {
                try await place.s3.putObject(
                    bucket: place.bucket, key: place.prefix + "a", body: [3], ifMatch: first.etag,
                    deadline: place.deadline)
            }
            #expect(code == .preconditionFailed)
        },
        S3Scenario("a write with If-Match where the object has vanished fails as where it has changed") { place in
            let first = try await place.s3.putObject(
                bucket: place.bucket, key: place.prefix + "gone", body: [1], deadline: place.deadline)
            try await place.s3.deleteObject(
                bucket: place.bucket, key: place.prefix + "gone", deadline: place.deadline)
            let code = try await place.code {
                try await place.s3.putObject(
                    bucket: place.bucket, key: place.prefix + "gone", body: [2], ifMatch: first.etag,
                    deadline: place.deadline)
            }
            #expect(code == .preconditionFailed)
        },
        S3Scenario("a deletion with If-Match spares what has changed, and says of what has vanished that it is gone") {
            place in
            let key = place.prefix + "deleted"
            let first = try await place.s3.putObject(
                bucket: place.bucket, key: key, body: [1], deadline: place.deadline)
            let second = try await place.s3.putObject(
                bucket: place.bucket, key: key, body: [2], deadline: place.deadline)
            func code(_ tag: String) async throws -> AWSError.Code? {
                try await place.code {
                    try await place.s3.deleteObject(
                        bucket: place.bucket, key: key, ifMatch: tag, deadline: place.deadline)
                }
            }
            #expect(try await code(first.etag) == .preconditionFailed)
            #expect(try await code(second.etag) == nil)
            #expect(try await code(second.etag) == .noSuchKey)
        },
        S3Scenario("a bucket of another account is not touched") { place in
            let codes = [
                try await place.code {
                    try await place.strangersS3.putObject(
                        bucket: place.bucket, key: place.prefix + "a", body: [], deadline: place.deadline)
                },
                try await place.code {
                    try await place.strangersS3.headObject(
                        bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
                },
                try await place.code {
                    try await place.strangersS3.deleteObject(
                        bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
                },
            ]
            #expect(codes == [.accessDenied, .accessDenied, .accessDenied])
        },
    ]

    static let reading = [
        S3Scenario("what is not there is told from what may not be seen") { place in
            let missing = place.prefix + "missing"
            let codes = [
                try await place.code {
                    try await place.s3.getObject(bucket: place.bucket, key: missing, deadline: place.deadline)
                },
                try await place.code {
                    try await place.s3.headObject(bucket: place.bucket, key: missing, deadline: place.deadline)
                },
                try await place.code {
                    try await place.s3.getObject(
                        bucket: place.bucket + "-missing", key: "a", deadline: place.deadline)
                },
                try await place.code {
                    try await place.s3.listObjectVersions(
                        bucket: place.bucket + "-missing", prefix: "a", deadline: place.deadline)
                },
            ]
            #expect(codes == [.noSuchKey, .notFound, .noSuchBucket, .noSuchBucket])
        },
        S3Scenario("a bucket says whether it keeps versions") { place in
            let versioning = try await place.s3.getBucketVersioning(bucket: place.bucket, deadline: place.deadline)
            #expect(versioning == .enabled)
        },
        S3Scenario("each version can be read for itself") { place in
            let first = try await place.put("a", "first")
            let second = try await place.put("a", "second")
            for (version, text) in [(first, "first"), (second, "second")] {
                let read = try await place.s3.getObject(
                    bucket: place.bucket, key: place.prefix + "a", versionID: version, deadline: place.deadline)
                #expect(read.body == Array(text.utf8) && read.head.versionID == version)
                let head = try await place.s3.headObject(
                    bucket: place.bucket, key: place.prefix + "a", versionID: version, deadline: place.deadline)
                #expect(head.contentLength == text.utf8.count)
            }
        },
    ]

    static let deleting = [
        S3Scenario("deleting what is not there is a success") { place in
            try await place.s3.deleteObject(
                bucket: place.bucket, key: place.prefix + "missing", deadline: place.deadline)
        },
        S3Scenario("a deleted object is hidden, and its key can be written again") { place in
            _ = try await place.put("a", "first")
            try await place.s3.deleteObject(bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
            let code = try await place.code {
                try await place.s3.headObject(bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
            }
            #expect(code == .notFound)
            let versions = try await place.s3.listObjectVersions(
                bucket: place.bucket, prefix: place.prefix, deadline: place.deadline)
            #expect(versions.count == 2 && versions.allSatisfy { $0.isDeleteMarker == $0.isLatest })
            let marker = try #require(versions.first { $0.isDeleteMarker })
            let markersCode = try await place.code {
                try await place.s3.getObject(
                    bucket: place.bucket, key: marker.key, versionID: marker.versionID, deadline: place.deadline)
            }
            #expect(markersCode == .methodNotAllowed)
            let markersHeadCode = try await place.code {
                try await place.s3.headObject(
                    bucket: place.bucket, key: marker.key, versionID: marker.versionID, deadline: place.deadline)
            }
            #expect(markersHeadCode == .methodNotAllowed)
            _ = try await place.s3.putObject(
                bucket: place.bucket, key: place.prefix + "a", body: [], ifNoneMatch: true, deadline: place.deadline)
        },
        S3Scenario("after every version is deleted by its id nothing is left") { place in
            _ = try await place.put("a", "first")
            let second = try await place.put("a", "second")
            try await place.s3.deleteObject(bucket: place.bucket, key: place.prefix + "a", deadline: place.deadline)
            let versions = try await place.s3.listObjectVersions(
                bucket: place.bucket, prefix: place.prefix + "a", deadline: place.deadline)
            #expect(versions.count == 3)
            for version in versions {
                try await place.s3.deleteObject(
                    bucket: place.bucket, key: version.key, versionID: version.versionID, deadline: place.deadline)
            }
            let rest = try await place.s3.listObjectVersions(
                bucket: place.bucket, prefix: place.prefix, deadline: place.deadline)
            #expect(rest.isEmpty)
            let code = try await place.code {
                try await place.s3.getObject(
                    bucket: place.bucket, key: place.prefix + "a", versionID: second, deadline: place.deadline)
            }
            #expect(code == .noSuchVersion)
        },
    ]

    /// In the order of their bytes.
    private static let oddKeys = [
        "a b", "a%2Fb", "a&amp;<b>\"'", "a+b", "a/../b", "a//b", "a=b?c", "é", "鍵", "🔑",
    ]

    static let listing = [
        S3Scenario("any key can be written, listed, read and deleted") { place in
            for key in oddKeys { _ = try await place.put(key, key) }
            let listed = try await place.s3.listObjects(
                bucket: place.bucket, prefix: place.prefix, deadline: place.deadline)
            #expect(listed.map { String($0.key.dropFirst(place.prefix.count)) } == oddKeys)
            for key in oddKeys {
                let read = try await place.s3.getObject(
                    bucket: place.bucket, key: place.prefix + key, deadline: place.deadline)
                #expect(read.body == Array(key.utf8))
            }
            let versions = try await place.s3.listObjectVersions(
                bucket: place.bucket, prefix: place.prefix, deadline: place.deadline)
            #expect(versions.map(\.key) == oddKeys.map { place.prefix + $0 })
        },
        S3Scenario("a listing has what begins with the prefix, in order, from where it is asked to") { place in
            for number in [3, 1, 5, 2, 4] { _ = try await place.put("x/\(number)", "\(number)") }
            _ = try await place.put("y/1")
            let all = try await place.s3.listObjects(
                bucket: place.bucket, prefix: place.prefix + "x/", deadline: place.deadline)
            #expect(all.map(\.key) == (1...5).map { place.prefix + "x/\($0)" })
            #expect(all.allSatisfy { $0.size == 1 && $0.lastModified != nil && $0.etag.hasPrefix("\"") })
            let some = try await place.s3.listObjects(
                bucket: place.bucket, prefix: place.prefix + "x/", startAfter: place.prefix + "x/3",
                deadline: place.deadline)
            #expect(some.map(\.key) == [place.prefix + "x/4", place.prefix + "x/5"])
            let none = try await place.s3.listObjects(
                bucket: place.bucket, prefix: place.prefix + "z", deadline: place.deadline)
            #expect(none.isEmpty)
        },
        S3Scenario("a listing that is longer than the limit is an error") { place in
            for number in 1...3 { _ = try await place.put("x/\(number)") }
            let codes = [
                try await place.code {
                    try await place.s3.listObjects(
                        bucket: place.bucket, prefix: place.prefix, limit: 2, deadline: place.deadline)
                },
                try await place.code {
                    try await place.s3.listObjectVersions(
                        bucket: place.bucket, prefix: place.prefix, limit: 2, deadline: place.deadline)
                },
            ]
            #expect(codes == [.tooManyResults, .tooManyResults])
        },
    ]
}
