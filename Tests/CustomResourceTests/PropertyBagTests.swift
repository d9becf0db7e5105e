import CustomResource
import TestSupport
import Testing

@Suite struct PropertyBagTests {
    private func bag(_ value: JSONValue?) -> PropertyBag { PropertyBag(value.map { ["Name": $0] } ?? [:]) }

    private func message(_ read: () throws -> Void) throws -> String {
        let error = try #require(throws: CustomResourceError.self, performing: read)
        #expect(error.code == .invalidProperty("Name"))
        return error.message
    }

    @Test(
        "A boolean is native or text, in any case", .contract(14),
        arguments: [
            (JSONValue.boolean(true), true), (.boolean(false), false), (.string("true"), true),
            (.string("false"), false),
            (.string("True"), true), (.string("FALSE"), false), (.string(""), nil), (.null, nil),
        ] as [(JSONValue, Bool?)])
    func boolean(value: JSONValue, expected: Bool?) throws {
        #expect(try bag(value).boolean("Name") == expected)
    }

    @Test(
        "What is no boolean is refused", .contract(14),
        arguments: [
            JSONValue.string("yes"), .string("1"), .string(" true"), .integer(1), .number(0), .array([]), .object([:]),
        ])
    func notBoolean(value: JSONValue) throws {
        let text = try message { _ = try bag(value).boolean("Name") }
        #expect(text == "Property Name is \(value): it must be true or false.")
    }

    @Test(
        "A whole number is native or text", .contract(14),
        arguments: [
            (JSONValue.integer(30), 30), (.string("30"), 30), (.string("1"), 1), (.integer(3650), 3650),
            (.string(""), nil),
            (.null, nil),
        ] as [(JSONValue, Int?)])
    func integer(value: JSONValue, expected: Int?) throws {
        #expect(try bag(value).integer("Name", in: 1...3650) == expected)
    }

    @Test(
        "What is no whole number in the range is refused", .contract(12, 14),
        arguments: [
            (JSONValue.integer(0), "is 0"), (.string("0"), "is 0"), (.string("4000"), "is 4000"),
            (.integer(-1), "is -1"),
            (.string("-1"), "is -1"), (.string("99999999999999999999"), "is out of range"),
            (.string("--1"), "is out of range"), (.string("thirty"), "is a string of 6 characters"),
            (.string("3e2"), "is a string of 3 characters"), (.string(" 30"), "is a string of 3 characters"),
            (.string("٣"), "is a string of 1 character"), (.number(1.5), "is a number"),
            (.boolean(true), "is a boolean"),
            (.array([.integer(1)]), "is a list of 1 item"), (.object([:]), "is an object of 0 members"),
            (.integer(.max), "is 9223372036854775807"), (.integer(.min), "is -9223372036854775808"),
        ])
    func notInteger(value: JSONValue, what: String) throws {
        let text = try message { _ = try bag(value).integer("Name", in: 1...3650) }
        #expect(text == "Property Name \(what): it must be a whole number from 1 to 3650.")
    }

    @Test("A text is required or not, and has a greatest length", .contract(12))
    func string() throws {
        #expect(try bag(.string("é")).string("Name", maximumLength: 1) == "é")
        #expect(try bag(.string("")).optionalString("Name", maximumLength: 1) == nil)
        #expect(try bag(nil).optionalString("Name", maximumLength: 1) == nil)
        #expect(
            try message { _ = try bag(nil).string("Name", maximumLength: 9) }
                == "Property Name is missing: it must be a string.")
        #expect(
            try message { _ = try bag(.null).string("Name", maximumLength: 9) }
                == "Property Name is missing: it must be a string.")
        #expect(
            try message { _ = try bag(.string("")).string("Name", maximumLength: 9) }
                == "Property Name is empty: it needs a value.")
        #expect(
            try message { _ = try bag(.string("hush")).string("Name", maximumLength: 3) }
                == "Property Name is a string of 4 characters: at most 3 are allowed.")
        #expect(
            try message { _ = try bag(.integer(7)).string("Name", maximumLength: 3) }
                == "Property Name is a number: it must be a string.")
        // One character, and yet longer than any honest one.
        let zalgo = "a" + String(repeating: "\u{301}", count: 5000)
        #expect(throws: CustomResourceError.self) { try bag(.string(zalgo)).string("Name", maximumLength: 3) }
    }

    @Test(
        "A list is native or one text with commas", .contract(14),
        arguments: [
            (JSONValue.string("a, b ,c"), ["a", "b", "c"]), (.array([.string("a"), .string("b")]), ["a", "b"]),
            (.string(""), []), (.string(" , ,"), []), (.string(" "), []), (.array([]), []), (.array([.string("")]), []),
            (.null, []), (.string("a"), ["a"]), (.string("  a b  "), ["a b"]),
        ])
    func list(value: JSONValue, expected: [String]) throws {
        #expect(try bag(value).list("Name", maximumCount: 3) == expected)
    }

    @Test("What is no list is refused", .contract(12))
    func notList() throws {
        #expect(
            try message { _ = try bag(.array([.integer(1)])).list("Name", maximumCount: 3) }
                == "Property Name has an item that is a number: every item must be a string.")
        #expect(
            try message { _ = try bag(.boolean(true)).list("Name", maximumCount: 3) }
                == "Property Name is a boolean: it must be a list of strings, or one string with commas.")
        #expect(
            try message { _ = try bag(.string("a,b,c,d")).list("Name", maximumCount: 3) }
                == "Property Name has 4 items: at most 3 are allowed.")
    }

    @Test("Unknown names are told apart from CloudFormation's own", .contract(13))
    func names() {
        let bag = PropertyBag([
            "ServiceToken": .null, "ServiceTimeout": .null, "Zebra": .null, "Apple": .null, "Known": .null,
        ])
        #expect(bag.names(besides: ["Known"]) == ["Apple", "Zebra"])
    }

    @Test("A bag and its values print without their bodies", .contract(24))
    func redaction() {
        let bag = PropertyBag(["Name": .string("hush"), "List": .array([.string("hush")])])
        var dumped = ""
        dump(JSONValue.string("hush").description, to: &dumped)
        #expect("\(bag) \(String(reflecting: bag))" == "properties(List, Name) properties(List, Name)")
        #expect("\(JSONValue.string("hush"))" == "a string of 4 characters")
        #expect("\([JSONValue.string("hush")])" == "[a string of 4 characters]")
    }
}
