extension JSONScanner {
    /// Reads a number; the position is at its sign or its first digit.
    mutating func number() throws(JSONError) -> JSONValue {
        let start = self.position
        let isNegative = self.byte == UInt8(ascii: "-")
        if isNegative || self.byte == UInt8(ascii: "+") {
            if !isNegative, !self.isJSON5 {
                throw self.failure("JSON numbers have no '+' in front")
            }
            self.position += 1
        }
        if self.isJSON5 {
            if let word = self.numberWord(isNegative) { return word }
            if self.byte == UInt8(ascii: "0"), self.byte(ahead: 1) | 0x20 == UInt8(ascii: "x") {
                return try self.hexadecimalNumber(isNegative, start)
            }
        }
        let digits = self.position
        let (whole, fits) = self.wholeDigits()
        let wholeCount = self.position - digits
        if wholeCount > 1, self.bytes[digits] == UInt8(ascii: "0") {
            throw self.failure("a number has no needless 0 in front", at: start)
        }
        if wholeCount == 0, !self.isJSON5 || self.byte != UInt8(ascii: ".") {
            throw self.failure("expected a digit, found \(self.found)")
        }
        let isWhole = try self.skipFraction(wholeCount) == 0
        let hasExponent = try self.skipExponent()
        if isWhole, !hasExponent, fits, let value = Self.int64(whole, isNegative) {
            return .int(value)
        }
        return .double(try self.double(from: start))
    }

    private mutating func numberWord(_ isNegative: Bool) -> JSONValue? {
        if self.byte == UInt8(ascii: "I"), self.takeWord("Infinity") {
            return .double(isNegative ? -.infinity : .infinity)
        }
        if self.byte == UInt8(ascii: "N"), self.takeWord("NaN") { return .double(.nan) }
        return nil
    }

    private mutating func takeWord(_ word: String) -> Bool {
        let end = self.position + word.utf8.count
        guard end <= self.bytes.count,
            self.bytes[self.position..<end].elementsEqual(word.utf8)
        else { return false }
        self.position = end
        return true
    }

    private mutating func wholeDigits() -> (value: UInt64, fits: Bool) {
        var value: UInt64 = 0
        var fits = true
        while self.byte.isDigit {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(
                UInt64(self.byte - UInt8(ascii: "0"))
            )
            fits = fits && !overflow && !carried
            value = sum
            self.position += 1
        }
        return (value, fits)
    }

    /// Skips `.5` and returns how many bytes that were.
    private mutating func skipFraction(_ wholeCount: Int) throws(JSONError) -> Int {
        guard self.byte == UInt8(ascii: ".") else { return 0 }
        let start = self.position
        self.position += 1
        while self.byte.isDigit { self.position += 1 }
        let digits = self.position - start - 1
        if digits == 0, !self.isJSON5 || wholeCount == 0 {
            throw self.failure("expected a digit after '.', found \(self.found)")
        }
        return self.position - start
    }

    private mutating func skipExponent() throws(JSONError) -> Bool {
        guard self.byte | 0x20 == UInt8(ascii: "e") else { return false }
        self.position += 1
        if self.byte == UInt8(ascii: "+") || self.byte == UInt8(ascii: "-") { self.position += 1 }
        guard self.byte.isDigit else {
            throw self.failure("expected a digit in the exponent, found \(self.found)")
        }
        while self.byte.isDigit { self.position += 1 }
        return true
    }

    private func double(from start: Int) throws(JSONError) -> Double {
        var text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        if text.hasPrefix("+") { text.removeFirst() }
        guard let value = Double(text), value.isFinite else {
            throw self.failure("a number that large cannot be kept", at: start)
        }
        return value
    }

    private mutating func hexadecimalNumber(
        _ isNegative: Bool,
        _ start: Int
    ) throws(JSONError) -> JSONValue {
        self.position += 2
        let digits = self.position
        var value: UInt64 = 0
        while let digit = self.byte.hexadecimalDigit {
            guard value >> 60 == 0 else {
                throw self.failure("a hexadecimal number that large cannot be kept", at: start)
            }
            value = value << 4 | UInt64(digit)
            self.position += 1
        }
        if self.position == digits {
            throw self.failure("expected a hexadecimal digit after '0x', found \(self.found)")
        }
        guard let number = Self.int64(value, isNegative) else {
            throw self.failure("a hexadecimal number that large cannot be kept", at: start)
        }
        return .int(number)
    }

    private static func int64(_ magnitude: UInt64, _ isNegative: Bool) -> Int64? {
        if !isNegative { return Int64(exactly: magnitude) }
        if magnitude == UInt64(Int64.max) + 1 { return .min }
        return Int64(exactly: magnitude).map { -$0 }
    }
}
