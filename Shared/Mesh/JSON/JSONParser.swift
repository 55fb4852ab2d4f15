/// Parses JSON and JSON5 texts.
package enum JSONParser {
    /// Which grammar a text follows.
    package enum Dialect: Sendable {
        /// RFC 8259.
        case json
        /// JSON as people write it: comments, trailing commas, unquoted names, single quotes.
        case json5
    }

    /// Parses `text` into values that know their places.
    ///
    /// - Throws: ``JSONError`` for everything that is not of the dialect, for an object that names
    ///   a member twice, and for lists and objects nested deeper than `depthMax`.
    package static func parse(
        _ text: String,
        dialect: Dialect = .json,
        depthMax: Int = 64
    ) throws(JSONError) -> JSONNode {
        try Self.product(of: text, dialect, depthMax)
    }

    /// Parses UTF-8 `bytes`, which may turn out to be none.
    package static func parse(
        utf8 bytes: [UInt8],
        dialect: Dialect = .json,
        depthMax: Int = 64
    ) throws(JSONError) -> JSONNode {
        try Self.product(of: try Self.text(bytes), dialect, depthMax)
    }

    static func product<Product: JSONProduct>(
        of text: String,
        _ dialect: Dialect,
        _ depthMax: Int
    ) throws(JSONError) -> Product {
        var text = text
        let result = text.withUTF8 { bytes -> Result<Product, JSONError> in
            var scanner = JSONScanner(bytes, dialect: dialect, depthMax: depthMax)
            do throws(JSONError) {
                return .success(try scanner.document())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    static func text(_ bytes: [UInt8]) throws(JSONError) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var place = JSONPlace()
        while case .valid(let scalar) = parser.parseScalar(from: &rest) {
            if scalar.first == UInt8(ascii: "\n") {
                place = JSONPlace(line: place.line + 1, column: 1)
            } else {
                place.column += 1
            }
        }
        throw JSONError(
            "the bytes here are not UTF-8; save the file in that encoding",
            line: place.line,
            column: place.column
        )
    }
}

extension JSONValue {
    /// Parses a JSON document (RFC 8259).
    ///
    /// - Throws: ``JSONError`` with the line and the column of the first mistake.
    public init(parsing text: String) throws(JSONError) {
        self = try JSONParser.product(of: text, .json, 64)
    }

    /// Parses a JSON document (RFC 8259) from bytes that may not even be UTF-8.
    ///
    /// - Throws: ``JSONError`` with the line and the column of the first mistake.
    public init(parsingUTF8 bytes: [UInt8]) throws(JSONError) {
        self = try JSONParser.product(of: try JSONParser.text(bytes), .json, 64)
    }
}
