/// Reads a whole file: nil when there is none, an error when there is one that cannot be read.
package typealias FileReader = @Sendable (_ path: String) throws -> [UInt8]?
