package import Diagnostics

/// Takes the secret out, for a test that has to store or look for it.
package func exposed<Value>(_ secret: Redacted<Value>) -> Value { secret.exposed }
