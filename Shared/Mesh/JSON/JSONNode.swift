/// A part of a parsed JSON document that remembers where in the text it began.
package struct JSONNode: Sendable, Hashable {
    /// What the text says at this place.
    package enum Content: Sendable, Hashable {
        case null
        case bool(Bool)
        case int(Int64)
        case double(Double)
        case string(String)
        case array([JSONNode])
        case object([Member])
    }

    /// One named member of an object, with the place of its name.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var line: Int
        package var column: Int
        package var value: JSONNode
    }

    package var content: Content
    /// The line, from 1.
    package var line: Int
    /// The column in Unicode scalars, from 1.
    package var column: Int

    /// The same part without places.
    package var value: JSONValue {
        switch self.content {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        case .array(let elements): .array(elements.map(\.value))
        case .object(let members):
            .object(members.map { JSONValue.Member($0.name, $0.value.value) })
        }
    }

    /// What kind of value this is, as an error message names it.
    package var kind: String {
        switch self.content {
        case .null: "null"
        case .bool: "a truth value"
        case .int, .double: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// What a document is parsed into: values alone, or values with their places.
protocol JSONProduct {
    /// A member of an object.
    associatedtype Member
    /// Whether `place` in the calls below is the true one; finding it takes time.
    static var keepsPlaces: Bool { get }
    static func scalar(_ value: JSONValue, at place: JSONPlace) -> Self
    static func list(_ elements: [Self], at place: JSONPlace) -> Self
    static func member(_ name: String, _ value: Self, at place: JSONPlace) -> Member
    static func members(_ members: [Member], at place: JSONPlace) -> Self
}

/// A place in a text.
struct JSONPlace {
    var line = 1
    var column = 1
}

extension JSONValue: JSONProduct {
    static var keepsPlaces: Bool { false }
    static func scalar(_ value: JSONValue, at place: JSONPlace) -> JSONValue { value }
    static func list(_ elements: [JSONValue], at place: JSONPlace) -> JSONValue {
        .array(elements)
    }
    static func member(_ name: String, _ value: JSONValue, at place: JSONPlace) -> Member {
        Member(name, value)
    }
    static func members(_ members: [Member], at place: JSONPlace) -> JSONValue {
        .object(members)
    }
}

extension JSONNode: JSONProduct {
    static var keepsPlaces: Bool { true }

    static func scalar(_ value: JSONValue, at place: JSONPlace) -> JSONNode {
        let content: Content =
            switch value {
            case .null: .null
            case .bool(let value): .bool(value)
            case .int(let value): .int(value)
            case .double(let value): .double(value)
            case .string(let value): .string(value)
            case .array, .object: preconditionFailure("\(value.kind) is no scalar")
            }
        return JSONNode(content: content, line: place.line, column: place.column)
    }

    static func list(_ elements: [JSONNode], at place: JSONPlace) -> JSONNode {
        JSONNode(content: .array(elements), line: place.line, column: place.column)
    }

    static func member(_ name: String, _ value: JSONNode, at place: JSONPlace) -> Member {
        Member(name: name, line: place.line, column: place.column, value: value)
    }

    static func members(_ members: [Member], at place: JSONPlace) -> JSONNode {
        JSONNode(content: .object(members), line: place.line, column: place.column)
    }
}
