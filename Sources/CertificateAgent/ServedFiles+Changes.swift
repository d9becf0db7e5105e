internal import Diagnostics
internal import FoundationEssentials
internal import PKI

// What changes something.
extension ServedFiles {
    /// Makes a certificate the one in use.
    func install(_ new: ServerCertificate, pointer: String) throws {
        let known = try versionToGoBackTo()
        try takeOverPlainFiles()
        var previous = try versionToGoBackTo()
        // Of two restored files that do not match, or of one, no server can be given back anything.
        if let known, let folder = try previous.flatMap({ try versionFolder($0) }),
            try matchingCertificate(in: folder) == nil
        {
            previous = known
        }
        // What stays is told once the server uses the new version.
        _ = try removeStale(keeping: previous)
        let name = "\(new.certificate.fingerprint.prefix(16))-\(UInt64.random(in: .min ... .max))"
        let folder = try store.makeDirectory(name)
        for file in set.files {
            try folder.create(
                file.role.rawValue, new.contents(of: file.role, hasChainFile: set.hasChainFile), owner: set.owner,
                mode: set.mode(of: file.role))
        }
        let record = Record(
            pointer: pointer, certificateSHA256: new.certificate.fingerprint, previous: previous)
        let text: [UInt8]
        do {
            text = Array(try JSONEncoder().encode(record))
        } catch {
            throw AgentError(.writeFailed, "The version could not be described.", cause: error)
        }
        try folder.create(ServedFiles.record, Redacted(text), owner: nil, mode: 0o444)
        try folder.setMode(ServedFiles.openMode)
        try folder.sync()
        for place in places where place.directory.linkTarget(place.file.name) != place.target {
            try place.directory.link(place.file.name, to: place.target)
        }
        try store.link(ServedFiles.current, to: name)
    }

    /// Notes that the server uses the current version, and removes the others: old keys are of no use to anybody.
    ///
    /// - Returns: why something is still there that should have been removed.
    func markLoaded() throws -> [AgentError] {
        guard let name = store.linkTarget(ServedFiles.current), let folder = try versionFolder(name) else { return [] }
        if try folder.entry(ServedFiles.loaded) == nil {
            try folder.create(ServedFiles.loaded, Redacted([]), owner: nil, mode: 0o444)
            try folder.sync()
        }
        return try removeStale(keeping: nil)
    }

    /// Makes the version before the current one the current one again. False when there is none.
    func goBack() throws -> Bool {
        guard let name = store.linkTarget(ServedFiles.current), let folder = try versionFolder(name),
            let previous = try record(in: folder)?.previous, try versionFolder(previous) != nil
        else { return false }
        try store.link(ServedFiles.current, to: previous)
        return true
    }

    /// Has what the names show become a version when a plain file is under one of them, at the first run or because a
    /// backup or another tool put it there. Then names can become links one by one, and no server sees half a pair.
    private func takeOverPlainFiles() throws {
        let entries = try places.map { (place: $0, entry: try $0.directory.entry($0.file.name)) }
        guard entries.contains(where: { $0.entry?.kind == .file }) else { return }
        let shown = try store.linkTarget(ServedFiles.current).flatMap { try versionFolder($0) }
        let folder = try store.makeDirectory("before-\(UInt64.random(in: .min ... .max))")
        for (place, entry) in entries {
            let isPlain = entry?.kind == .file
            let name = isPlain ? place.file.name : place.file.role.rawValue
            guard entry != nil, let source = isPlain ? place.directory : shown, let file = try source.entry(name),
                file.kind == .file, let bytes = try source.contents(name)
            else { continue }
            try folder.create(
                place.file.role.rawValue, bytes, owner: FileOwner(user: file.user, group: file.group),
                mode: place.file.role.isSecret ? file.mode & 0o770 : file.mode & 0o775)
        }
        try folder.create(ServedFiles.loaded, Redacted([]), owner: nil, mode: 0o444)
        try folder.setMode(ServedFiles.openMode)
        try folder.sync()
        try store.link(ServedFiles.current, to: folder.name)
    }

    /// The version that servers are known to have loaded last.
    private func versionToGoBackTo() throws -> String? {
        guard let name = store.linkTarget(ServedFiles.current), let folder = try versionFolder(name) else { return nil }
        if try folder.entry(ServedFiles.loaded) != nil {
            let isIntact = try record(in: folder) == nil || matchingCertificate(in: folder) != nil
            return isIntact ? name : nil
        }
        guard let previous = try record(in: folder)?.previous, try versionFolder(previous) != nil else { return nil }
        return previous
    }

    /// Removes other versions, and what a killed run left beside the names.
    ///
    /// - Returns: what could not be removed; that ends no rotation.
    private func removeStale(keeping kept: String?) throws -> [AgentError] {
        let current = store.linkTarget(ServedFiles.current)
        var failures: [AgentError] = []
        for name in try store.names() where ![current, kept, ServedFiles.current, "lock"].contains(name) {
            do {
                if try store.entry(name)?.kind == .directory {
                    try store.removeDirectory(name)
                } else {
                    try store.remove(name)
                }
            } catch let error as AgentError {
                failures.append(error)
            }
        }
        for place in places {
            try place.directory.removeLeftoverLinks(of: place.file.name, to: place.target)
        }
        return failures
    }
}
