/// The profiles in the AWS CLI's two files, joined; the credentials file wins.
///
/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
struct SharedProfiles {
    private var profiles: [String: [String: String]] = [:]

    /// - Parameters:
    ///   - config: the text of `~/.aws/config`, in which profiles are `[profile NAME]` and `[default]`.
    ///   - credentials: the text of `~/.aws/credentials`, in which they are `[NAME]`.
    /// - Throws: ``AWSError/Code/invalidConfiguration`` with the line's number, never its text.
    init(config: String, credentials: String) throws(AWSError) {
        var fallback: [String: String] = [:]
        for (section, values) in try SharedProfiles.sections(of: config, file: "config") {
            if section == "default" {
                fallback.merge(values) { _, later in later }
            } else if let name = SharedProfiles.profileName(section) {
                profiles[name, default: [:]].merge(values) { _, later in later }
            }
        }
        // [profile default] hides [default].
        if profiles["default"] == nil, !fallback.isEmpty { profiles["default"] = fallback }
        for (section, values) in try SharedProfiles.sections(of: credentials, file: "credentials") {
            profiles[section, default: [:]].merge(values) { _, later in later }
        }
    }

    /// Reads the two files where the environment says that they are, or at their usual places; a missing one is empty.
    ///
    /// - Throws: ``AWSError/Code/invalidConfiguration``, ``AWSError/Code/credentialsUnavailable``.
    static func load(environment: [String: String], readFile: FileReader) throws(AWSError) -> SharedProfiles {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        func text(_ path: String) throws(AWSError) -> String {
            var path = path
            if path.hasPrefix("~/") {
                guard let home = value("HOME") else { return "" }
                path = home + path.dropFirst()
            }
            do {
                guard let bytes = try readFile(path) else { return "" }
                return String(decoding: bytes, as: UTF8.self)
            } catch {
                throw AWSError(.credentialsUnavailable, "An AWS profile file cannot be read.", cause: error)
            }
        }
        return try SharedProfiles(
            config: try text(value("AWS_CONFIG_FILE") ?? "~/.aws/config"),
            credentials: try text(value("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials"))
    }

    subscript(name: String) -> [String: String]? { profiles[name] }

    /// `profile NAME`, with quotation marks around a name that has spaces.
    private static func profileName(_ section: String) -> String? {
        guard section.hasPrefix("profile ") || section.hasPrefix("profile\t") else { return nil }
        let name = section.dropFirst("profile ".count).trimmed
        let isQuoted = name.count > 1 && name.first == name.last && (name.hasPrefix("\"") || name.hasPrefix("'"))
        return isQuoted ? String(name.dropFirst().dropLast()) : name
    }

    private static func sections(
        of text: String, file: String
    ) throws(AWSError) -> [(name: String, values: [String: String])] {
        var sections: [(name: String, values: [String: String])] = []
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            let content = line.trimmed
            if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
            if content.hasPrefix("[") {
                guard let end = content.firstIndex(of: "]") else { throw .malformed(file, line: number) }
                sections.append((name: content[content.index(after: content.startIndex)..<end].trimmed, values: [:]))
                continue
            }
            // An indented line belongs to the setting above (`s3 =` and its like); none of these concerns us.
            if line.first?.isWhitespace == true { continue }
            guard let equals = content.firstIndex(of: "="), let last = sections.indices.last else {
                throw .malformed(file, line: number)
            }
            let name = content[..<equals].trimmed.lowercased()
            sections[last].values[name] = content[content.index(after: equals)...].withoutComment.trimmed
        }
        return sections
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// Up to a `#` or `;` that follows white space.
    fileprivate var withoutComment: SubSequence {
        var previous: Character = "="
        for index in indices {
            if self[index] == "#" || self[index] == ";", previous.isWhitespace { return self[..<index] }
            previous = self[index]
        }
        return self[...]
    }
}

extension AWSError {
    fileprivate static func malformed(_ file: String, line: Int) -> AWSError {
        AWSError(.invalidConfiguration, "Line \(line) of the AWS \(file) file is neither a section nor a setting.")
    }
}
