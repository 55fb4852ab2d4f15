import Mesh

/// Writes the fields of an entry as the JSON of its line, without building a document.
///
/// The counterpart of ``LedgerLineDecoder``: the text is the same as that of the entry's `json`.
struct LedgerLineEncoder: FieldCoder {
    /// The line so far, without the closing brace of the whole.
    private(set) var bytes: [UInt8]
    private var isFirst = true

    init() {
        self.bytes = []
        self.bytes.reserveCapacity(512)
        self.bytes.append(UInt8(ascii: "{"))
    }

    var isDecoding: Bool { false }

    mutating func field(_ name: StaticString, _ value: inout Int64) {
        self.key(name)
        self.number(value)
    }

    mutating func field(_ name: StaticString, _ value: inout Bool) {
        self.key(name)
        self.put(value ? "true" : "false")
    }

    mutating func field(_ name: StaticString, _ value: inout String) {
        self.key(name)
        self.text(value)
    }

    mutating func field(_ name: StaticString, _ value: inout [UInt8]) {
        self.key(name)
        self.text(Hex.text(value))
    }

    mutating func field<T: WireCodable>(_ name: StaticString, _ value: inout T) throws(WireError) {
        self.key(name)
        try self.object(&value)
    }

    mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout [T]
    ) throws(WireError) {
        self.key(name)
        self.bytes.append(UInt8(ascii: "["))
        for index in value.indices {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            try self.object(&value[index])
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    private mutating func object<T: WireCodable>(_ value: inout T) throws(WireError) {
        self.bytes.append(UInt8(ascii: "{"))
        self.isFirst = true
        try value.fields(&self)
        self.isFirst = false
        self.bytes.append(UInt8(ascii: "}"))
    }

    private mutating func key(_ name: StaticString) {
        if !self.isFirst { self.bytes.append(UInt8(ascii: ",")) }
        self.isFirst = false
        self.bytes.append(UInt8(ascii: "\""))
        self.put(name)
        self.put("\":")
    }

    private mutating func put(_ text: StaticString) {
        self.bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }

    private mutating func number(_ value: Int64) {
        if value < 0 { self.bytes.append(UInt8(ascii: "-")) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value.magnitude
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            self.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// A text that needs no escape is copied; any other is written as JSON is everywhere.
    private mutating func text(_ value: String) {
        guard value.isPlainInJSON else {
            return self.bytes.append(contentsOf: JSONValue.string(value).text.utf8)
        }
        var value = value
        self.bytes.append(UInt8(ascii: "\""))
        value.withUTF8 { self.bytes.append(contentsOf: $0) }
        self.bytes.append(UInt8(ascii: "\""))
    }
}
