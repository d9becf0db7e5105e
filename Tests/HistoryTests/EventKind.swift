import CustomResource

/// What an event is to the stack: rows of the coverage table.
enum EventKind: String, Codable, Sendable, CaseIterable, Comparable {
    case create = "Create"
    case cancelledCreate = "Create, cancelled"
    case sameUpdate = "Update, nothing changed"
    case settingUpdate = "Update, other property"
    case rotation = "Update, rotation"
    case rollback = "Update, rollback of a rotation"
    case recovery = "Update, after a failed one"
    case delete = "Delete"
    case cleanup = "Delete, cleanup"
    case rollbackDelete = "Delete, rollback"
    case cancelDelete = "Delete, invented id"
    case adoptedUpdate = "Update, adopted"
    case adoptedRotation = "Update, rotation of adopted"
    case adoptedRollback = "Update, rollback to adopted"
    case adoptedDelete = "Delete, adopted"

    static func < (lhs: EventKind, rhs: EventKind) -> Bool { lhs.index < rhs.index }

    private var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension EventKind {
    var requestType: CustomResourceRequest.RequestType {
        switch self {
        case .create, .cancelledCreate: .create
        case .sameUpdate, .settingUpdate, .rotation, .rollback, .recovery, .adoptedUpdate, .adoptedRotation,
            .adoptedRollback:
            .update
        case .delete, .cleanup, .rollbackDelete, .cancelDelete, .adoptedDelete: .delete
        }
    }
}
