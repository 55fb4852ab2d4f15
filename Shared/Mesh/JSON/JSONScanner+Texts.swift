extension JSONScanner {
    /// Reads a text in quotes; the position is at the opening one.
    mutating func quotedText() throws(JSONError) -> String {
        let opening = self.position
        let quote = self.byte
        self.position += 1
        let start = self.position
        // Most texts have no escapes and are copied in one piece.
        while !self.isAtEnd {
            let byte = self.bytes[self.position]
            if byte == quote {
                let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
                self.position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { break }
            try self.require(noControl: byte)
            self.position += 1
        }
        var text = Array(self.bytes[start..<self.position])
        while !self.isAtEnd {
            let byte = self.bytes[self.position]
            if byte == quote {
                self.position += 1
                return String(decoding: text, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") {
                try self.escape(into: &text)
                continue
            }
            try self.require(noControl: byte)
            text.append(byte)
            self.position += 1
        }
        throw self.failure(
            "this text is never closed: the quote at its end is missing",
            at: opening
        )
    }

    private func require(noControl byte: UInt8) throws(JSONError) {
        guard byte < 0x20 else { return }
        if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
            throw self.failure("the line ends inside a text; close the quote or write '\\n'")
        }
        guard self.isJSON5 else {
            throw self.failure("a control character inside a text; write it as '\\u00XX'")
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let start = self.position
        let letter = self.byte(ahead: 1)
        if self.position + 1 >= self.bytes.count {
            self.position += 1
            return
        }
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            text.append(contentsOf: Array(String(try self.unicodeEscape()).utf8))
            return

        default:
            try self.escapeJSON5(letter, start, into: &text)
            return
        }
        self.position += 2
    }

    private mutating func escapeJSON5(
        _ letter: UInt8,
        _ start: Int,
        into text: inout [UInt8]
    ) throws(JSONError) {
        guard self.isJSON5 else { throw self.unknownEscape() }
        switch letter {
        case UInt8(ascii: "v"):
            text.append(0x0B)
            self.position += 2

        case UInt8(ascii: "0") where !self.byte(ahead: 2).isDigit:
            text.append(0)
            self.position += 2

        case UInt8(ascii: "x"):
            let value = try self.hexadecimal(count: 2, from: start + 2)
            guard let scalar = Unicode.Scalar(value) else { throw self.unknownEscape() }
            text.append(contentsOf: Array(String(scalar).utf8))
            self.position = start + 4

        case UInt8(ascii: "\n"):
            self.position += 2

        case UInt8(ascii: "\r"):
            self.position += self.byte(ahead: 2) == UInt8(ascii: "\n") ? 3 : 2

        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            throw self.unknownEscape()

        default:
            self.position += 1
            guard let (scalar, count) = self.scalarAhead() else { throw self.unknownEscape() }
            // An escaped line separator continues the text on the next line.
            if scalar != "\u{2028}", scalar != "\u{2029}" {
                text.append(contentsOf: Array(String(scalar).utf8))
            }
            self.position += count
        }
    }

    private func unknownEscape() -> JSONError {
        var after = self
        after.position += 1
        return self.failure(
            "'\\' before \(after.found) is no escape; write '\\\\' for the character itself"
        )
    }

    /// Reads `\uXXXX`, two of them where the first is half of a pair.
    private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let start = self.position
        let first = try self.hexadecimal(count: 4, from: start + 2)
        self.position = start + 6
        if let scalar = Unicode.Scalar(first) { return scalar }
        let isPair =
            first < 0xDC00 && self.byte == UInt8(ascii: "\\") && self.byte(ahead: 1) == 0x75
        if isPair {
            let second = try self.hexadecimal(count: 4, from: start + 8)
            let value = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF)
            if (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(value) {
                self.position = start + 12
                return scalar
            }
        }
        throw self.failure("'\\u' with half of a surrogate pair", at: start)
    }

    private func hexadecimal(count: Int, from start: Int) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for index in start..<(start + count) {
            guard index < self.bytes.count, let digit = self.bytes[index].hexadecimalDigit else {
                throw self.failure("expected \(count) hexadecimal digits in an escape", at: index)
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// Reads a name without quotes: an ECMAScript identifier.
    mutating func bareName() throws(JSONError) -> String {
        var name = ""
        while let (scalar, count) = self.scalarAhead() {
            if scalar == "\\", self.byte(ahead: 1) == UInt8(ascii: "u") {
                let start = self.position
                let escaped = try self.unicodeEscape()
                guard Self.mayStand(escaped, first: name.isEmpty) else {
                    throw self.failure("'\(escaped)' cannot stand in a name", at: start)
                }
                name.unicodeScalars.append(escaped)
                continue
            }
            guard Self.mayStand(scalar, first: name.isEmpty) else { break }
            name.unicodeScalars.append(scalar)
            self.position += count
        }
        if name.isEmpty {
            throw self.failure("expected the name of a member, found \(self.found)")
        }
        return name
    }

    private static func mayStand(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
        if scalar == "$" || scalar == "_" { return true }
        if first { return scalar.properties.isIDStart }
        return scalar.properties.isIDContinue || scalar == "\u{200C}" || scalar == "\u{200D}"
    }
}
