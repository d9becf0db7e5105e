@_spi(_Unicode) internal import Swift

/// Normalization form C.
///
/// The standard library computes it for every string comparison and offers the result as SPI only, which Foundation
/// uses too. The public way, Foundation's, would bring ICU into the Lambda. Tests hold it against Python's.
func canonicallyComposed(_ text: String) -> [Unicode.Scalar] {
    Array(text._nfc)
}
