import Mesh

/// Reads the fields of a line as ``LedgerFile`` writes them, without building a document.
///
/// A bank that comes back after a crash reads its whole ledger first, so this is worth having. It
/// knows only lines as ``LedgerLineEncoder`` writes them, without escapes in texts, with all fields
/// in the order in which they are declared; on anything else it throws, and the line is read as
/// any JSON.
struct LedgerLineDecoder: FieldCoder {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    /// Whether the next field is the first one of its object.
    private var isFirst: Bool

    /// Creates a decoder of an object without its closing brace; `bytes` must outlive it.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.isFirst = bytes.first == UInt8(ascii: "{")
        if self.isFirst { self.offset = 1 }
    }

    var isDecoding: Bool { true }
    var isAtEnd: Bool { self.offset == self.bytes.count }

    mutating func field(_ name: StaticString, _ value: inout Int64) throws(WireError) {
        try self.key(name)
        let isNegative = self.skip(UInt8(ascii: "-"))
        let start = self.offset
        var number: UInt64 = 0
        while self.offset < self.bytes.count, (0x30...0x39).contains(self.bytes[self.offset]) {
            number = number &* 10 &+ UInt64(self.bytes[self.offset] - 0x30)
            self.offset += 1
        }
        // 19 digits fit 64 unsigned bits.
        guard (1...19).contains(self.offset - start), let number = Int64(exactly: number) else {
            throw self.unusual
        }
        value = isNegative ? -number : number
    }

    mutating func field(_ name: StaticString, _ value: inout Bool) throws(WireError) {
        try self.key(name)
        value = self.skip("true")
        if !value, !self.skip("false") { throw self.unusual }
    }

    mutating func field(_ name: StaticString, _ value: inout String) throws(WireError) {
        try self.key(name)
        guard self.skip(UInt8(ascii: "\"")) else { throw self.unusual }
        let start = self.offset
        var end = start
        while end < self.bytes.count, self.bytes[end] != UInt8(ascii: "\"") {
            guard self.bytes[end] != UInt8(ascii: "\\") else { throw self.unusual }
            end += 1
        }
        self.offset = end
        let text = UnsafeRawBufferPointer(rebasing: self.bytes[start..<end])
        guard self.skip(UInt8(ascii: "\"")), let text = String(ifUTF8: text) else {
            throw self.unusual
        }
        value = text
    }

    mutating func field(_ name: StaticString, _ value: inout [UInt8]) throws(WireError) {
        throw self.unusual
    }

    mutating func field<T: WireCodable>(_ name: StaticString, _ value: inout T) throws(WireError) {
        try self.key(name)
        value = try self.object()
    }

    mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout [T]
    ) throws(WireError) {
        try self.key(name)
        guard self.skip(UInt8(ascii: "[")) else { throw self.unusual }
        value = []
        if self.skip(UInt8(ascii: "]")) { return }
        repeat { value.append(try self.object()) } while self.skip(UInt8(ascii: ","))
        guard self.skip(UInt8(ascii: "]")) else { throw self.unusual }
    }

    private mutating func object<T: WireCodable>() throws(WireError) -> T {
        guard self.skip(UInt8(ascii: "{")) else { throw self.unusual }
        self.isFirst = true
        var value = T()
        try value.fields(&self)
        guard self.skip(UInt8(ascii: "}")) else { throw self.unusual }
        self.isFirst = false
        return value
    }

    private mutating func key(_ name: StaticString) throws(WireError) {
        let comma = self.isFirst ? 0 : 1
        let start = self.offset + comma + 1
        let end = start + name.utf8CodeUnitCount
        guard end + 2 <= self.bytes.count,
            self.isFirst || self.bytes[self.offset] == UInt8(ascii: ","),
            self.bytes[start - 1] == UInt8(ascii: "\""), self.bytes.hasText(name, at: start),
            self.bytes[end] == UInt8(ascii: "\""), self.bytes[end + 1] == UInt8(ascii: ":")
        else { throw self.unusual }
        self.isFirst = false
        self.offset = end + 2
    }

    /// Steps over one character where it comes next.
    private mutating func skip(_ character: UInt8) -> Bool {
        guard self.offset < self.bytes.count, self.bytes[self.offset] == character else {
            return false
        }
        self.offset += 1
        return true
    }

    /// Steps over `text` where it comes next.
    private mutating func skip(_ text: StaticString) -> Bool {
        guard self.bytes.hasText(text, at: self.offset) else { return false }
        self.offset += text.utf8CodeUnitCount
        return true
    }

    private var unusual: WireError { WireError("not as ledgers are written") }
}

extension UnsafeRawBufferPointer {
    /// Whether that text stands at `offset`.
    func hasText(_ text: StaticString, at offset: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        guard self.count - offset >= count else { return false }
        return UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
            .hasEqualBytes(UnsafeBufferPointer(start: text.utf8Start, count: count))
    }
}
