import Mesh
import Testing

@Suite struct `JSON parser` {
    private static let document = #"""
        {"id":"e-1","n":-42,"big":9223372036854775807,"least":-9223372036854775808,
         "x":1.5e3,"list":[true,false,null,[],{}],"text":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"}
        """#

    @Test func `reads every kind of value, in order`() throws {
        let value = try JSONValue(parsing: Self.document)
        let expected: JSONValue = [
            "id": "e-1", "n": -42, "big": .int(.max), "least": .int(.min), "x": .double(1500),
            "list": [true, false, .null, [], [:]],
            "text": "a\"\\/\u{8}\u{c}\n\r\té😀é",
        ]
        #expect(value == expected)
    }

    @Test func `what it reads is what was written`() throws {
        let value = try JSONValue(parsing: Self.document)
        #expect(try JSONValue(parsing: value.text) == value)
        #expect(try JSONValue(parsing: value.prettyText) == value)
    }

    @Test func `gives each value and each name its line and column`() throws {
        let root = try JSONParser.parse("{\n  \"é\": [1,\r\n   2]\r, \"b\": 3}")
        guard case .object(let members) = root.content,
            case .array(let elements) = members[0].value.content
        else {
            Issue.record("expected an object with a list, found \(root)")
            return
        }
        #expect([members[0].line, members[0].column] == [2, 3])
        #expect([members[0].value.line, members[0].value.column] == [2, 8])
        #expect([elements[0].line, elements[0].column] == [2, 9])
        #expect([elements[1].line, elements[1].column] == [3, 4])
        #expect([members[1].line, members[1].column] == [4, 3])
    }

    @Test(
        arguments: [
            ("", 1, 1), ("  \n ", 2, 2), ("{", 1, 1), ("[1,\n2", 1, 1), ("[1 2]", 1, 4),
            ("[1,]", 1, 3), ("{\"a\":1,}", 1, 7), ("{\"a\" 1}", 1, 6), ("{a:1}", 1, 2),
            ("{\"a\":1 \"b\":2}", 1, 8), ("{\"a\":1,\n \"a\":2}", 2, 2), ("tru", 1, 1),
            ("truee", 1, 1), ("nulls", 1, 1), ("'a'", 1, 1), ("01", 1, 1), ("-", 1, 2),
            ("+1", 1, 1), (".5", 1, 1), ("5.", 1, 3), ("1e", 1, 3), ("1e999", 1, 1),
            ("0x10", 1, 2), ("Infinity", 1, 1), ("NaN", 1, 1), ("1 // one", 1, 3),
            ("/* a */ 1", 1, 1), ("\"abc", 1, 1), ("\"a\nb\"", 1, 3), ("\"a\tb\"", 1, 3),
            ("\"\\x41\"", 1, 2), ("\"\\q\"", 1, 2), ("\"\\u12g4\"", 1, 6), ("\"\\ud800\"", 1, 2),
            ("\"\\ud800\\u0041\"", 1, 2), ("\"\\udc00\"", 1, 2), ("\"\\", 1, 1),
            ("1 1", 1, 3), ("\u{a0}1", 1, 1), ("\u{0}", 1, 1), ("[1\u{0}]", 1, 3), ("]", 1, 1),
        ]
    )
    func `says where a text stops being JSON`(text: String, line: Int, column: Int) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect([error.line, error.column] == [line, column], "\(error)")
    }

    @Test(
        arguments: [
            ("{a: 1, $b_2: 2, 'c d': 3, \"e\": 4,}", #"{"a":1,"$b_2":2,"c d":3,"e":4}"#),
            ("// one\n[1, /* two\n */ 2,]", "[1,2]"), ("[+1, .5, 5., 0x1F, -0xff]", ""),
            ("'it\\'s \"x\" \\x41\\v\\0\\\nnext'", ""),
            ("\u{FEFF}\u{a0}[\u{2028}1\u{2003}]", "[1]"),
            ("{größe: 1, \\u0061b: 2}", #"{"größe":1,"ab":2}"#), ("[Infinity, -Infinity]", ""),
            ("'\\a\\é\\u{'", "error"), ("[,]", "error"), ("{1: 2}", "error"), ("'\\1'", "error"),
            ("'\\01'", "error"), ("0x", "error"), ("0x8000000000000000", "error"),
            ("/* open", "error"), ("/ 1", "error"), ("{a-b: 1}", "error"),
            ("{\\u002d: 1}", "error"),
            ("{a: 1, 'a': 2}", "error"), ("010", "error"), ("'a\nb'", "error"), ("{,}", "error"),
        ]
    )
    func `reads JSON as people write it, where asked to`(text: String, json: String) throws {
        guard json != "error" else {
            #expect(throws: JSONError.self) { try JSONParser.parse(text, dialect: .json5) }
            return
        }
        let value = try JSONParser.parse(text, dialect: .json5).value
        switch text.first {
        case "[" where text.contains("0x"):
            #expect(value == [1, .double(0.5), .double(5), 31, -255])

        case "[" where text.contains("Inf"):
            #expect(value == [.double(.infinity), .double(-.infinity)])

        case "'":
            #expect(value == "it's \"x\" A\u{b}\0next")

        default:
            #expect(value.text == json)
        }
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func `every beginning of a document is an error, and none a crash`() {
        for count in 0..<Self.document.unicodeScalars.count {
            let text = String(String.UnicodeScalarView(Self.document.unicodeScalars.prefix(count)))
            #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
            #expect(throws: JSONError.self) { try JSONParser.parse(text, dialect: .json5) }
        }
    }

    @Test func `survives any single byte being changed`() {
        let bytes = Array(Self.document.utf8)
        var outcomes = 0
        for index in bytes.indices {
            for replacement in UInt8.min...UInt8.max where replacement.isMultiple(of: 5) {
                var changed = bytes
                changed[index] = replacement
                outcomes += (try? JSONParser.parse(utf8: changed, dialect: .json5)) == nil ? 1 : 0
                outcomes += (try? JSONValue(parsingUTF8: changed)) == nil ? 1 : 0
            }
        }
        #expect(outcomes > bytes.count)
    }

    @Test func `bytes that are no UTF-8 are refused where they stand`() throws {
        let error = try #require(throws: JSONError.self) {
            try JSONValue(parsingUTF8: Array("[\n\"é".utf8) + [0xC3, 0x22, 0x5D])
        }
        #expect([error.line, error.column] == [2, 3])
    }

    @Test func `nesting is bounded`() throws {
        let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { try JSONValue(parsing: deepest) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[\(deepest)]") }
        let endless = String(repeating: "[{\"a\":", count: 100_000)
        #expect(throws: JSONError.self) { try JSONValue(parsing: endless) }
        #expect(throws: JSONError.self) { try JSONParser.parse(endless, depthMax: .max) }
    }

    @Test func `an object with many members finds the one named twice`() throws {
        let names = (0..<1000).map { "\"n\($0)\":\($0)" }
        let good = try JSONValue(parsing: "{\(names.joined(separator: ","))}")
        #expect(good.object?.count == 1000)
        #expect(good["n999"] == 999)
        let error = try #require(throws: JSONError.self) {
            try JSONValue(parsing: "{\((names + ["\"n3\":0"]).joined(separator: ","))}")
        }
        #expect(error.message.contains("'n3' twice"))
    }
}
