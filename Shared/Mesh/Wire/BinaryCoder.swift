/// Writes the fields of a value in their binary form.
public struct BinaryEncoder: FieldCoder {
    /// Where the fields go.
    public var writer: WireWriter

    /// Creates an encoder that continues `writer`.
    @inlinable
    public init(_ writer: WireWriter = WireWriter()) {
        self.writer = writer
    }

    /// Always false.
    @inlinable
    public var isDecoding: Bool { false }

    /// Writes a whole number, small ones in fewer bytes (zigzag LEB128).
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout Int64) {
        self.writer.varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Writes one byte, 0 or 1.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout Bool) {
        self.writer.u8(value ? 1 : 0)
    }

    /// Writes a counted text.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout String) {
        self.writer.text(value)
    }

    /// Writes counted bytes.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout [UInt8]) {
        self.writer.counted(value)
    }

    /// Writes the fields of a value, counted, so that fields can be added to it later.
    @inlinable
    public mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout T
    ) throws(WireError) {
        try self.counted(&value)
    }

    /// Writes a value in place, and its length before it once that is known.
    @inlinable
    mutating func counted<T: WireCodable>(_ value: inout T) throws(WireError) {
        let start = self.writer.beginCounted(1)
        try value.fields(&self)
        self.writer.endCounted(start, 1)
    }

    /// Writes the count, then each value.
    @inlinable
    public mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout [T]
    ) throws(WireError) {
        self.writer.varint(UInt64(value.count))
        for index in value.indices {
            var element = value[index]
            try self.counted(&element)
        }
    }
}

/// Fills the fields of a value from their binary form.
public struct BinaryDecoder: FieldCoder {
    /// Where the fields come from.
    public var reader: WireReader

    /// Creates a decoder of what `reader` has left.
    @inlinable
    public init(reader: WireReader) {
        self.reader = reader
    }

    /// Always true.
    @inlinable
    public var isDecoding: Bool { true }

    /// Reads a whole number.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout Int64) throws(WireError) {
        if self.reader.isAtEnd { return }
        let raw = try self.reader.varint()
        value = Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// Reads a truth value.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout Bool) throws(WireError) {
        if self.reader.isAtEnd { return }
        let byte = try self.reader.u8()
        guard byte < 2 else { throw WireError("field \(name): \(byte) is neither 0 nor 1") }
        value = byte == 1
    }

    /// Reads a text.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout String) throws(WireError) {
        if self.reader.isAtEnd { return }
        value = try self.reader.text()
    }

    /// Reads bytes, into the memory that is there.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: inout [UInt8]) throws(WireError) {
        if self.reader.isAtEnd { return }
        let bytes = try self.reader.view()
        if value.count == bytes.count {
            return value.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
        }
        if value.isEmpty { return value = Array(bytes) }
        value.removeAll(keepingCapacity: true)
        value.append(contentsOf: bytes)
    }

    /// Reads a value with fields of its own.
    @inlinable
    public mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout T
    ) throws(WireError) {
        if self.reader.isAtEnd { return }
        var inner = BinaryDecoder(reader: WireReader(try self.reader.view()))
        value = T()
        try value.fields(&inner)
    }

    /// Reads a list of values.
    @inlinable
    public mutating func field<T: WireCodable>(
        _ name: StaticString,
        _ value: inout [T]
    ) throws(WireError) {
        if self.reader.isAtEnd { return }
        let count = try self.reader.count()
        guard count <= self.reader.remaining else {
            throw WireError("field \(name): \(count) elements in \(self.reader.remaining) bytes")
        }
        value = []
        value.reserveCapacity(count)
        for _ in 0..<count {
            var inner = BinaryDecoder(reader: WireReader(try self.reader.view()))
            var element = T()
            try element.fields(&inner)
            value.append(element)
        }
    }
}
