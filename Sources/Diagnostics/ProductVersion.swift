/// The version of all that this repository builds, in its only place. The templates' output `Version` and the changelog
/// repeat it, and a test compares them (Tests/Tools/test_version.py).
package enum ProductVersion {
    package static let text = "0.1.0"
    /// How requests to AWS and to certificate authorities name their sender.
    package static let userAgent = "stackcert/\(text)"
}
