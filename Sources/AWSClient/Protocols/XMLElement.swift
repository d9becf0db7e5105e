/// An element of an answer, with its children; attributes and namespaces carry nothing that we need.
struct XMLElement: Equatable {
    /// Without a namespace prefix.
    let name: String
    private(set) var text = ""
    private(set) var children: [XMLElement] = []

    private init(name: String) {
        self.name = name.split(separator: ":").last.map(String.init) ?? name
    }

    /// The root of a document.
    init(parsing document: [UInt8]) throws(AWSError) {
        var parser = try XMLPullParser(document)
        // The first is a holder of the root, so that the loop has no special case.
        var open = [XMLElement(name: "")]
        while let event = try parser.next() {
            switch event {
            case .start(let name, _):
                open.append(XMLElement(name: name))
            case .text(let text):
                open[open.count - 1].text += text
            case .end:
                let closed = open.removeLast()
                open[open.count - 1].children.append(closed)
            }
        }
        guard let root = open.first?.children.first else {
            throw AWSError(.invalidResponse, "The answer is an empty document.")
        }
        self = root
    }

    /// The first child of this name.
    func first(_ name: String) -> XMLElement? {
        children.first { $0.name == name }
    }

    /// The text of the first child of this name; nil when there is no such child.
    subscript(name: String) -> String? {
        first(name)?.text
    }

    /// The text of a child that the protocol promises.
    func required(_ name: String) throws(AWSError) -> String {
        guard let text = self[name] else {
            throw AWSError(.invalidResponse, "The answer has no \(name) in its \(self.name).")
        }
        return text
    }
}
