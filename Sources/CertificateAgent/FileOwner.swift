internal import Glibc

/// Whose a file is.
package struct FileOwner: Hashable, Sendable {
    package let user: UInt32
    package let group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    /// Reads `user` or `user:group`, by name or number. Without a group it is the user's own.
    ///
    /// - Throws: ``AgentError/Code/usage``.
    package init(_ text: String) throws(AgentError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw AgentError(.usage, "An owner is written user or user:group.")
        }
        var user = UInt32(name)
        var ownGroup: UInt32?
        // The names are looked up before anything else runs: no other thread uses the same static entry.
        if user == nil, let entry = unsafe getpwnam(name) {
            user = unsafe entry.pointee.pw_uid
            ownGroup = unsafe entry.pointee.pw_gid
        } else if let number = user, let entry = unsafe getpwuid(number) {
            ownGroup = unsafe entry.pointee.pw_gid
        }
        guard let user else { throw AgentError(.usage, "There is no such user on this machine.") }
        self.user = user
        guard parts.count == 2, let groupName = parts.last else {
            self.group = ownGroup ?? user
            return
        }
        if let number = UInt32(groupName) {
            self.group = number
        } else if let entry = unsafe getgrnam(groupName) {
            self.group = unsafe entry.pointee.gr_gid
        } else {
            throw AgentError(.usage, "There is no such group on this machine.")
        }
    }
}
