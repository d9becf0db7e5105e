internal import AWSClient
package import Timekeeping

/// Who uses an object of system A: several stacks with one AppName may (case 29).
extension CertificateStore {
    /// Whether the resource uses system A's object.
    package func uses(_ object: SystemAObject, owner: CertificateOwner, deadline: UnixInstant) async throws -> Bool {
        try await state.exists(owner.useKey(of: object), deadline: deadline)
    }

    /// Written before the object is read, and again with each request that is given it.
    func noteUse(of object: SystemAObject, by owner: CertificateOwner, deadline: UnixInstant) async throws {
        _ = try await s3.putObject(
            bucket: state.name, key: owner.useKey(of: object), body: [], deadline: deadline)
    }

    /// How many other resources use system A's object. Those that this provider has never heard of are not counted.
    func otherUses(
        of object: SystemAObject, than owner: CertificateOwner, deadline: UnixInstant
    ) async throws -> Int {
        let notes = try await state.keys(below: object.usesPrefix, deadline: deadline)
        let records = try await recordsOfUse(of: object, deadline: deadline)
        return Set(notes + records).subtracting([owner.useKey(of: object)]).count
    }

    /// The notes that are missing: versions of this provider before uses were noted wrote down the adoption only.
    private func recordsOfUse(of object: SystemAObject, deadline: UnixInstant) async throws -> [String] {
        var uses: [String] = []
        for key in try await state.keys(below: "records/", deadline: deadline) where key.hasSuffix("/adopted.json") {
            let parts = key.split(separator: "/")
            guard parts.count == 4,
                let adopted = try await state.document(AdoptedCertificate.self, at: key, deadline: deadline)?.document,
                adopted.useIsNoted != true, SystemAObject(adopted) == object
            else { continue }
            uses.append("\(object.usesPrefix)\(parts[1]).\(parts[2])")
        }
        return uses
    }
}
