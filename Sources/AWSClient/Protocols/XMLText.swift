extension String {
    /// The text as it is written between tags.
    var xmlEscaped: String {
        unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\r": escaped += "&#13;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }
}

extension XMLElement {
    /// The elements of a list whose members have a name of their own: `<List><Name/>…</List>`; none when there is no such
    /// list.
    func children(of list: String, named name: String) -> [XMLElement] {
        first(list)?.children.filter { $0.name == name } ?? []
    }
}
