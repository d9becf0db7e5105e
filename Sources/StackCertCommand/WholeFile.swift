import FoundationEssentials

/// A file that others may read at any time: they find the earlier one, or the whole new one.
struct WholeFile {
    let path: String

    /// - Throws: ``CommandError``.
    func write(_ text: String) throws(CommandError) {
        // A rename would put a file in the place of a device or a directory.
        if let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType,
            kind != .typeRegular
        {
            throw CommandError(.writeFailed, "\(path) is no file: name one that can be replaced.")
        }
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw CommandError(
                .writeFailed,
                "\(path) could not be written: its directory must exist, and you must be allowed to write there.",
                cause: error)
        }
    }
}
