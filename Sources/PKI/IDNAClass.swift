/// What RFC 5892 says about a character in a label.
enum IDNAClass {
    /// PVALID, and of no effect on the direction of text.
    case valid
    /// CONTEXTJ, CONTEXTO, or PVALID and right-to-left: valid among the right neighbours (RFC 5892, appendix A;
    /// RFC 5893). Telling which takes tables that the standard library does not have.
    case dependsOnNeighbours
    case invalid
}

extension Unicode.Scalar {
    /// The derivation of RFC 5892, section 3, in its order, from the standard library's properties.
    var idnaClass: IDNAClass {
        if isASCII {
            return isLowerCaseLetterDigitOrHyphen ? .valid : .invalid
        }
        switch value {
        // Section 2.6, exceptions.
        case 0x00DF, 0x03C2, 0x0F0B, 0x3007: return .valid
        case 0x06FD, 0x06FE: return .dependsOnNeighbours
        case 0x00B7, 0x0375, 0x05F3, 0x05F4, 0x30FB, 0x0660...0x0669, 0x06F0...0x06F9: return .dependsOnNeighbours
        case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return .invalid
        // Join controls.
        case 0x200C, 0x200D: return .dependsOnNeighbours
        // Old Hangul jamo.
        case 0x1100...0x11FF, 0xA960...0xA97C, 0xD7B0...0xD7FB: return .invalid
        // Ignorable blocks.
        case 0x20D0...0x20FF, 0x1D100...0x1D24F: return .invalid
        default: break
        }
        guard !properties.changesWhenNFKCCaseFolded, !properties.isDefaultIgnorableCodePoint,
            !properties.isWhitespace, !properties.isNoncharacterCodePoint
        else { return .invalid }
        switch properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark,
            .decimalNumber:
            return isInRightToLeftBlock ? .dependsOnNeighbours : .valid
        default:
            return .invalid
        }
    }

    var isCombiningMark: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    private var isLowerCaseLetterDigitOrHyphen: Bool {
        switch self {
        case "a"..."z", "0"..."9", "-": true
        default: false
        }
    }

    /// Where Unicode puts right-to-left scripts, present and future (DerivedBidiClass.txt's defaults).
    private var isInRightToLeftBlock: Bool {
        switch value {
        case 0x0590...0x08FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: true
        default: false
        }
    }
}
