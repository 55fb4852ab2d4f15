/// A JSON document or a part of one; objects keep the order of their members.
public enum JSONValue: Sendable, Hashable {
    /// The absent value.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without a fraction that fits 64 bits.
    case int(Int64)
    /// Any other number.
    case double(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// Named members, in their order.
    case object([Member])

    /// One named member of an object.
    public struct Member: Sendable, Hashable {
        /// The name before the colon.
        public var name: String
        /// The value behind it.
        public var value: JSONValue

        /// Creates the member `name: value`.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// What kind of value this is, as an error message names it.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .int, .double: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The member of that name, or nil where this is no object or has none.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text, or nil where this is none.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The whole number, or nil where this is none.
    public var int: Int64? { if case .int(let value) = self { value } else { nil } }
    /// The truth value, or nil where this is none.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The list, or nil where this is none.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The members, or nil where this is no object.
    public var object: [Member]? { if case .object(let value) = self { value } else { nil } }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Creates a text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// Creates a whole number.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// Creates a truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Creates a list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// Creates an object with the members in the order written.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}

extension JSONValue {
    /// The document on one line.
    public var text: String {
        var out = ""
        self.write(into: &out, indent: nil, depth: 0)
        return out
    }

    /// The document over several lines, two spaces an indentation.
    public var prettyText: String {
        var out = ""
        self.write(into: &out, indent: "  ", depth: 0)
        return out
    }

    private func write(into out: inout String, indent: String?, depth: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .int(let value): out += String(value)
        case .double(let value): out += value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.quote(value, into: &out)
        case .array(let values):
            Self.list(values, "[", "]", into: &out, indent, depth) { value, out in
                value.write(into: &out, indent: indent, depth: depth + 1)
            }
        case .object(let members):
            Self.list(members, "{", "}", into: &out, indent, depth) { member, out in
                Self.quote(member.name, into: &out)
                out += indent == nil ? ":" : ": "
                member.value.write(into: &out, indent: indent, depth: depth + 1)
            }
        }
    }

    private static func list<T>(
        _ elements: [T],
        _ open: String,
        _ close: String,
        into out: inout String,
        _ indent: String?,
        _ depth: Int,
        _ write: (T, inout String) -> Void
    ) {
        out += open
        for (index, element) in elements.enumerated() {
            if index > 0 { out += "," }
            if let indent { out += "\n" + String(repeating: indent, count: depth + 1) }
            write(element, &out)
        }
        if let indent, !elements.isEmpty {
            out += "\n" + String(repeating: indent, count: depth)
        }
        out += close
    }

    private static func quote(_ text: String, into out: inout String) {
        out += "\""
        if text.isPlainInJSON {
            out += text
            out += "\""
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

extension String {
    /// Whether it stands in JSON as it is, without an escape; most texts do.
    package var isPlainInJSON: Bool {
        var text = self
        return text.withUTF8 { bytes in
            bytes.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }
        }
    }
}
