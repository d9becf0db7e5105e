import TestSupport
import Testing

@testable import CustomResource

@Suite struct JSONParserTests {
    @Test(
        "Every kind of value is read",
        arguments: [
            ("null", .null), (" true ", .boolean(true)), ("\tfalse\r\n", .boolean(false)), ("0", .integer(0)),
            ("-0", .integer(0)), ("-17", .integer(-17)), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(9223372036854775808)),
            ("1.5", .number(1.5)), ("30.0", .integer(30)), ("3e1", .integer(30)), ("1E-1", .number(0.1)),
            ("1e+2", .integer(100)), ("1e999", .number(.infinity)), (#""""#, .string("")),
            (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{c}\n\r\t")), (#""\u00e9\u0041""#, .string("éA")),
            (#""\ud83c\udf31""#, .string("🌱")), (#""é🌱\u0000""#, .string("é🌱\u{0}")), ("[]", .array([])),
            ("[ 1 , [ ] ]", .array([.integer(1), .array([])])), ("{}", .object([:])),
            (#"{ "a" : { } , "b" : [ null ] }"#, .object(["a": .object([:]), "b": .array([.null])])),
            (#"{"a":1,"a":2}"#, .object(["a": .integer(2)])),
        ] as [(String, JSONValue)])
    func read(text: String, expected: JSONValue) throws {
        #expect(try JSONParser.value(of: Array(text.utf8)) == expected)
    }

    @Test(
        "What is not JSON is refused", .contract(12),
        arguments: [
            "", " ", "nul", "nulll", "True", "tru", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x1", "1 2", "NaN",
            "Infinity",
            #"""#, #""\x""#, #""\u12""#, #""\u12g4""#, #""\ud800""#, #""\udc00\ud800""#, #""\ud800A""#, #""\ud800\n""#,
            "\"a\nb\"", "\"\u{0}\"", "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "}", "{1:2}",
            #"{"a"}"#,
            #"{"a":}"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, #"{"a" 1}"#, "/* a */ 1", "\u{feff}1", "[1]]", "{}}", "-a",
        ])
    func refused(text: String) {
        let error = #expect(throws: CustomResourceError.self) { try JSONParser.value(of: Array(text.utf8)) }
        #expect(error?.message == "The event is not valid JSON.")
    }

    @Test(
        "Bytes that are not UTF-8 are refused wherever they stand", .contract(12),
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x80],
            [0x31, 0xff],
        ] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        #expect(throws: CustomResourceError.self) { try JSONParser.value(of: bytes) }
    }

    @Test("Sixty-four levels are read, one more is not", .contract(12))
    func depth() throws {
        func nested(_ levels: Int) -> [UInt8] {
            [UInt8](repeating: 0x5b, count: levels) + [UInt8](repeating: 0x5d, count: levels)
        }
        _ = try JSONParser.value(of: nested(64))
        let error = #expect(throws: CustomResourceError.self) { try JSONParser.value(of: nested(66)) }
        #expect(error?.message == "The event is nested more than 64 levels deep.")
    }
}
