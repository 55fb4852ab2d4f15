/// Walks once over the UTF-8 bytes of a document.
///
/// The bytes are valid UTF-8 and outlive the scanner, which `JSONParser` sees to.
struct JSONScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    let dialect: JSONParser.Dialect
    let depthMax: Int
    var position = 0
    private var depth = 0
    // Places are asked for in ascending order, so each byte is counted once.
    private var counted = 0
    private var place = JSONPlace()

    init(_ bytes: UnsafeBufferPointer<UInt8>, dialect: JSONParser.Dialect, depthMax: Int) {
        self.bytes = bytes
        self.dialect = dialect
        // The parser recurses; this much stack every thread has.
        self.depthMax = min(max(depthMax, 1), 512)
    }

    var isJSON5: Bool { self.dialect == .json5 }

    /// The byte at the position; 0, which no grammar allows anywhere, behind the end.
    var byte: UInt8 { self.byte(ahead: 0) }

    func byte(ahead distance: Int) -> UInt8 {
        let index = self.position + distance
        return index < self.bytes.count ? self.bytes[index] : 0
    }

    var isAtEnd: Bool { self.position >= self.bytes.count }

    mutating func document<Product: JSONProduct>() throws(JSONError) -> Product {
        if self.byte == 0xEF, self.byte(ahead: 1) == 0xBB, self.byte(ahead: 2) == 0xBF {
            self.position = 3
        }
        try self.skipBlank()
        if self.isAtEnd { throw self.failure("the text is empty; expected a value") }
        let product: Product = try self.value()
        try self.skipBlank()
        if !self.isAtEnd {
            throw self.failure("expected the end of the text, found \(self.found)")
        }
        return product
    }

    private mutating func value<Product: JSONProduct>() throws(JSONError) -> Product {
        switch self.byte {
        case UInt8(ascii: "{"):
            return try self.object()

        case UInt8(ascii: "["):
            return try self.list()

        default:
            let place = self.currentPlace(if: Product.keepsPlaces)
            return .scalar(try self.scalar(), at: place)
        }
    }

    private mutating func scalar() throws(JSONError) -> JSONValue {
        switch self.byte {
        case UInt8(ascii: "\""):
            return .string(try self.quotedText())

        case UInt8(ascii: "'"):
            guard self.isJSON5 else {
                throw self.failure("JSON texts stand in double quotes, not in single ones")
            }
            return .string(try self.quotedText())

        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            return try self.number()

        case UInt8(ascii: "+"), UInt8(ascii: "."):
            return try self.number()

        case UInt8(ascii: "t") where self.take("true"):
            return .bool(true)

        case UInt8(ascii: "f") where self.take("false"):
            return .bool(false)

        case UInt8(ascii: "n") where self.take("null"):
            return .null

        case UInt8(ascii: "I") where self.isJSON5 && self.take("Infinity"):
            return .double(.infinity)

        case UInt8(ascii: "N") where self.isJSON5 && self.take("NaN"):
            return .double(.nan)

        default:
            throw self.failure("expected a value, found \(self.found)")
        }
    }

    private mutating func list<Product: JSONProduct>() throws(JSONError) -> Product {
        let place = self.currentPlace(if: Product.keepsPlaces)
        let opening = self.position
        try self.enter()
        var elements: [Product] = []
        try self.skipBlank()
        while self.byte != UInt8(ascii: "]") {
            if self.isAtEnd { throw self.unclosed("list", "]", opening) }
            elements.append(try self.value())
            try self.skipBlank()
            guard self.byte == UInt8(ascii: ",") else { break }
            let comma = self.position
            self.position += 1
            try self.skipBlank()
            if self.byte == UInt8(ascii: "]"), !self.isJSON5 {
                throw self.failure("JSON allows no comma before ']'", at: comma)
            }
        }
        if self.isAtEnd { throw self.unclosed("list", "]", opening) }
        guard self.byte == UInt8(ascii: "]") else {
            throw self.failure("expected ',' or ']' after an element, found \(self.found)")
        }
        self.leave()
        return .list(elements, at: place)
    }

    private mutating func object<Product: JSONProduct>() throws(JSONError) -> Product {
        let place = self.currentPlace(if: Product.keepsPlaces)
        let opening = self.position
        try self.enter()
        var members: [Product.Member] = []
        var names = JSONNames()
        try self.skipBlank()
        while self.byte != UInt8(ascii: "}") {
            if self.isAtEnd { throw self.unclosed("object", "}", opening) }
            let start = self.position
            let namePlace = self.currentPlace(if: Product.keepsPlaces)
            let name = try self.memberName()
            guard names.insert(name) else {
                throw self.failure("the object names '\(name)' twice", at: start)
            }
            try self.skipBlank()
            guard self.byte == UInt8(ascii: ":") else {
                throw self.failure("expected ':' after the name '\(name)', found \(self.found)")
            }
            self.position += 1
            try self.skipBlank()
            let value: Product = try self.value()
            members.append(Product.member(name, value, at: namePlace))
            try self.skipBlank()
            guard self.byte == UInt8(ascii: ",") else { break }
            let comma = self.position
            self.position += 1
            try self.skipBlank()
            if self.byte == UInt8(ascii: "}"), !self.isJSON5 {
                throw self.failure("JSON allows no comma before '}'", at: comma)
            }
        }
        if self.isAtEnd { throw self.unclosed("object", "}", opening) }
        guard self.byte == UInt8(ascii: "}") else {
            throw self.failure("expected ',' or '}' after a member, found \(self.found)")
        }
        self.leave()
        return .members(members, at: place)
    }

    private mutating func memberName() throws(JSONError) -> String {
        switch self.byte {
        case UInt8(ascii: "\""):
            return try self.quotedText()

        case UInt8(ascii: "'") where self.isJSON5:
            return try self.quotedText()

        default:
            guard self.isJSON5 else {
                throw self.failure("expected a name in double quotes, found \(self.found)")
            }
            return try self.bareName()
        }
    }

    private mutating func enter() throws(JSONError) {
        self.depth += 1
        if self.depth > self.depthMax {
            throw self.failure("more than \(self.depthMax) lists and objects inside each other")
        }
        self.position += 1
    }

    private mutating func leave() {
        self.depth -= 1
        self.position += 1
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard self.position + count <= self.bytes.count else { return false }
        for index in 0..<count where self.bytes[self.position + index] != word.utf8Start[index] {
            return false
        }
        let next = self.byte(ahead: count)
        if next == UInt8(ascii: "_") || next == UInt8(ascii: "$") || next.isLetterOrDigit {
            return false
        }
        self.position += count
        return true
    }
}

// MARK: - Places and failures

extension JSONScanner {
    /// The place of the position; something else where it is not asked for.
    private mutating func currentPlace(if wanted: Bool) -> JSONPlace {
        guard wanted else { return self.place }
        Self.advance(&self.place, over: self.bytes, from: self.counted, to: self.position)
        self.counted = self.position
        return self.place
    }

    private static func advance(
        _ place: inout JSONPlace,
        over bytes: UnsafeBufferPointer<UInt8>,
        from start: Int,
        to end: Int
    ) {
        for index in start..<min(end, bytes.count) {
            let byte = bytes[index]
            let endsLine =
                byte == UInt8(ascii: "\n")
                || byte == UInt8(ascii: "\r")
                    && (index + 1 == bytes.count || bytes[index + 1] != UInt8(ascii: "\n"))
            if endsLine {
                place.line += 1
                place.column = 1
            } else if byte & 0xC0 != 0x80 {
                place.column += 1
            }
        }
    }

    func failure(_ message: String, at offset: Int? = nil) -> JSONError {
        var place = JSONPlace()
        Self.advance(&place, over: self.bytes, from: 0, to: offset ?? self.position)
        return JSONError(message, line: place.line, column: place.column)
    }

    private func unclosed(_ what: String, _ closing: String, _ opening: Int) -> JSONError {
        self.failure(
            "this \(what) is never closed: the text ends without '\(closing)'",
            at: opening
        )
    }

    /// What stands at the position, as an error message names it.
    var found: String {
        if self.isAtEnd { return "the end of the text" }
        guard let scalar = self.scalarAhead()?.scalar else { return "a broken character" }
        if scalar.value < 0x20 || scalar.value == 0x7F { return "a control character" }
        return "'\(scalar)'"
    }

    /// The Unicode scalar at the position and the number of its bytes; nil at the end.
    func scalarAhead() -> (scalar: Unicode.Scalar, count: Int)? {
        guard !self.isAtEnd else { return nil }
        var iterator = self.bytes[self.position...].makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        return (scalar, UTF8.width(scalar))
    }
}

// MARK: - Blanks

extension JSONScanner {
    /// Moves to the next byte that means something.
    mutating func skipBlank() throws(JSONError) {
        while true {
            switch self.byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                self.position += 1

            case UInt8(ascii: "/"):
                try self.skipComment()

            case 0x0B, 0x0C:
                guard self.isJSON5 else { return }
                self.position += 1

            case 0x80...:
                guard self.isJSON5, let (scalar, count) = self.scalarAhead() else { return }
                guard scalar.properties.isWhitespace || scalar == "\u{FEFF}" else { return }
                self.position += count

            default:
                return
            }
        }
    }

    private mutating func skipComment() throws(JSONError) {
        guard self.isJSON5 else { throw self.failure("JSON has no comments") }
        let start = self.position
        switch self.byte(ahead: 1) {
        case UInt8(ascii: "/"):
            while !self.isAtEnd, self.byte != UInt8(ascii: "\n"), self.byte != UInt8(ascii: "\r") {
                self.position += 1
            }

        case UInt8(ascii: "*"):
            self.position += 2
            while self.byte != UInt8(ascii: "*") || self.byte(ahead: 1) != UInt8(ascii: "/") {
                if self.isAtEnd { throw self.failure("this comment is never closed", at: start) }
                self.position += 1
            }
            self.position += 2

        default:
            throw self.failure("expected a comment after '/'; write '//' or '/* … */'")
        }
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    var isLetterOrDigit: Bool {
        self.isDigit || (self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "z")
    }

    /// The value of a hexadecimal digit; nil for anything else.
    var hexadecimalDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
