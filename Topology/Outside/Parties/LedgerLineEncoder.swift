import Mesh

/// Writes the fields of an entry as the JSON of its line, without building a document.
///
/// The counterpart of ``LedgerLineDecoder``: the text is the same as that of the entry's `json`.
struct LedgerLineEncoder: FieldCoder {
    /// The line so far, without the closing brace of the whole.
    var writer = WireWriter()
    private var isFirst = true

    /// The most that a name takes with what stands around it.
    private static let aroundName = 4
    private static let digitsMax = 20

    init() {
        self.writer.bytes.reserveCapacity(512)
        self.writer.u8(UInt8(ascii: "{"))
    }

    var isDecoding: Bool { false }

    mutating func field(_ name: StaticString, _ value: inout Int64) {
        let number = value
        self.named(name, atMost: Self.digitsMax) { Self.put(number, into: &$0) }
    }

    mutating func field(_ name: StaticString, _ value: inout Bool) {
        let text: StaticString = value ? "true" : "false"
        self.named(name, atMost: 5) { $0.raw(text) }
    }

    mutating func field(_ name: StaticString, _ value: inout String) {
        self.field(name, text: value)
    }

    mutating func field(_ name: StaticString, _ value: inout [UInt8]) {
        self.field(name, text: Hex.text(value))
    }

    mutating func field<T: WireCodable>(_ name: StaticString, _ value: inout T) throws(WireError) {
        self.named(name, atMost: 0) { _ in }
        try self.object(&value)
    }

    mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout [T]
    ) throws(WireError) {
        self.named(name, atMost: 1) { $0.u8(UInt8(ascii: "[")) }
        for index in 0..<value.count {
            if index > 0 { self.writer.u8(UInt8(ascii: ",")) }
            try self.object(&value[index])
        }
        self.writer.u8(UInt8(ascii: "]"))
    }

    private mutating func object<T: WireCodable>(_ value: inout T) throws(WireError) {
        self.writer.u8(UInt8(ascii: "{"))
        self.isFirst = true
        try value.fields(&self)
        self.isFirst = false
        self.writer.u8(UInt8(ascii: "}"))
    }

    /// Writes a name, and behind it a value of at most `count` bytes.
    private mutating func named(
        _ name: StaticString,
        atMost count: Int,
        _ value: (inout WirePieces) -> Void
    ) {
        let isFirst = self.isFirst
        self.isFirst = false
        self.writer.pieces(atMost: Self.aroundName + name.utf8CodeUnitCount + count) { line in
            if !isFirst { line.u8(UInt8(ascii: ",")) }
            line.u8(UInt8(ascii: "\""))
            line.raw(name)
            line.raw("\":")
            value(&line)
        }
    }

    /// A text that needs no escape is copied; any other is written as JSON is everywhere.
    private mutating func field(_ name: StaticString, text: String) {
        let isPlain = text.isPlainInJSON
        var text = isPlain ? text : JSONValue.string(text).text
        text.withUTF8 { text in
            self.named(name, atMost: text.count + 2) { line in
                if isPlain { line.u8(UInt8(ascii: "\"")) }
                line.raw(UnsafeRawBufferPointer(text))
                if isPlain { line.u8(UInt8(ascii: "\"")) }
            }
        }
    }

    private static func put(_ value: Int64, into line: inout WirePieces) {
        if value < 0 { line.u8(UInt8(ascii: "-")) }
        var scale: UInt64 = 1
        while value.magnitude / scale > 9 { scale *= 10 }
        while scale > 0 {
            line.u8(UInt8(ascii: "0") + UInt8(value.magnitude / scale % 10))
            scale /= 10
        }
    }
}
