package import HTTPTypes

extension HTTPFields {
    /// The field of this name, in any case. What is no field name has no value, and setting it does nothing.
    ///
    /// Saves the unwrapping that ``HTTPField/Name`` asks for with names that it does not know.
    package subscript(named name: String) -> String? {
        get { HTTPField.Name(name).flatMap { self[$0] } }
        set {
            if let name = HTTPField.Name(name) {
                self[name] = newValue
            }
        }
    }
}
