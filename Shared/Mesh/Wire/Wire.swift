/// Appends little-endian numbers, counted texts and byte strings to a growing array.
public struct WireWriter: Sendable {
    /// What was written so far.
    public var bytes: [UInt8]

    /// Creates a writer that continues `bytes`.
    @inlinable
    public init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// Appends one byte.
    @inlinable
    public mutating func u8(_ value: UInt8) { self.bytes.append(value) }

    /// Appends two bytes.
    @inlinable
    public mutating func u16(_ value: UInt16) { self.fixed(value) }

    /// Appends four bytes.
    @inlinable
    public mutating func u32(_ value: UInt32) { self.fixed(value) }

    /// Appends eight bytes.
    @inlinable
    public mutating func u64(_ value: UInt64) { self.fixed(value) }

    /// Appends eight bytes.
    @inlinable
    public mutating func i64(_ value: Int64) { self.fixed(UInt64(bitPattern: value)) }

    @inlinable
    mutating func fixed<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { self.raw($0) }
    }

    /// Appends bytes as they are.
    @inlinable
    public mutating func raw(_ value: UnsafeRawBufferPointer) {
        self.pieces(atMost: value.count) { $0.raw(value) }
    }

    /// Appends 1 to 10 bytes, fewer for smaller numbers (LEB128).
    @inlinable
    public mutating func varint(_ value: UInt64) {
        if value < 0x80 { return self.bytes.append(UInt8(truncatingIfNeeded: value)) }
        self.longVarint(value)
    }

    @inlinable
    mutating func longVarint(_ value: UInt64) {
        self.pieces(atMost: Self.varintBytesMax) { $0.varint(value) }
    }

    /// The longest varint.
    @usableFromInline static var varintBytesMax: Int { 10 }

    /// Appends what `write` puts together, at most `count` bytes: growing an array piece by piece
    /// costs more than the pieces.
    @inlinable
    @inline(__always)
    package mutating func pieces(atMost count: Int, _ write: (inout WirePieces) -> Void) {
        self.bytes.append(addingCapacity: count) { span in
            span.withUnsafeMutableBufferPointer { bytes, used in
                let room = UnsafeMutableRawBufferPointer(bytes)
                var pieces = WirePieces(room: room, count: used)
                write(&pieces)
                used = pieces.count
            }
        }
    }

    /// Appends the length as a varint, then the bytes.
    @inlinable
    public mutating func counted(_ value: [UInt8]) {
        value.withUnsafeBytes { self.counted($0) }
    }

    /// Appends the length as a varint, then the bytes.
    @inlinable
    public mutating func counted(_ value: UnsafeRawBufferPointer) {
        self.pieces(atMost: Self.varintBytesMax + value.count) {
            $0.varint(UInt64(value.count))
            $0.raw(value)
        }
    }

    /// Appends what `write` appends, with its length as a varint before it; returns that length.
    ///
    /// Where the length takes another number of bytes than `lengthBytes`, what was written moves.
    @inlinable
    @discardableResult
    mutating func countedInPlace(
        lengthBytes: Int = 2,
        _ write: (inout WireWriter) -> Void
    ) -> Int {
        let start = self.beginCounted(lengthBytes)
        write(&self)
        return self.endCounted(start, lengthBytes)
    }

    /// Leaves room for the length of what is appended until ``endCounted(_:_:)``; returns where.
    @inlinable
    mutating func beginCounted(_ lengthBytes: Int = 2) -> Int {
        let start = self.bytes.count
        self.pieces(atMost: lengthBytes) { pieces in
            for _ in 0..<lengthBytes { pieces.u8(0) }
        }
        return start
    }

    /// Puts the length where ``beginCounted(_:)`` left room for it; returns it.
    @inlinable
    @discardableResult
    mutating func endCounted(_ start: Int, _ lengthBytes: Int = 2) -> Int {
        let count = self.bytes.count - start - lengthBytes
        self.putLength(count, at: start, room: lengthBytes)
        return count
    }

    /// Puts the length of what stands behind `start + room` at `start`.
    @usableFromInline
    mutating func putLength(_ count: Int, at start: Int, room: Int) {
        if room == 2, count >= 1 << 7, count < 1 << 14 {
            // Most are.
            return self.bytes.withUnsafeMutableBytes { raw in
                raw[start] = UInt8(truncatingIfNeeded: count) | 0x80
                raw[start &+ 1] = UInt8(truncatingIfNeeded: count >> 7)
            }
        }
        let needed = (UInt64(count | 1).bitWidth - UInt64(count | 1).leadingZeroBitCount + 6) / 7
        for _ in 0..<max(0, needed - room) { self.bytes.append(0) }
        self.bytes.withUnsafeMutableBytes { raw in
            if needed != room, let base = raw.baseAddress {
                (base + start + needed).copyMemory(from: base + start + room, byteCount: count)
            }
            var rest = count
            for index in start..<start + needed {
                raw[index] = UInt8(truncatingIfNeeded: rest) | 0x80
                rest >>= 7
            }
            raw[start + needed - 1] &= 0x7F
        }
        if needed < room { self.bytes.removeLast(room - needed) }
    }

    /// Appends the UTF-8 length as a varint, then the text.
    @inlinable
    public mutating func text(_ value: String) {
        value.withBytes { self.counted($0) }
    }
}

/// Puts together what ``WireWriter/pieces(atMost:_:)`` then appends at once.
@usableFromInline
package struct WirePieces {
    @usableFromInline let room: UnsafeMutableRawBufferPointer
    /// How many bytes of ``room`` are written.
    @usableFromInline var count: Int

    @inlinable
    init(room: UnsafeMutableRawBufferPointer, count: Int) {
        self.room = room
        self.count = count
    }

    /// Adds bytes as they are.
    @inlinable
    @inline(__always)
    package mutating func raw(_ value: UnsafeRawBufferPointer) {
        precondition(value.count <= self.room.count - self.count, "no room for the pieces")
        guard let bytes = value.baseAddress, let room = self.room.baseAddress else { return }
        (room + self.count).copyMemory(from: bytes, byteCount: value.count)
        self.count &+= value.count
    }

    /// Adds one byte.
    @inlinable
    @inline(__always)
    package mutating func u8(_ value: UInt8) {
        self.room[self.count] = value
        self.count &+= 1
    }

    /// Adds eight bytes.
    @inlinable
    package mutating func u64(_ value: UInt64) {
        precondition(self.room.count - self.count >= 8, "no room for the pieces")
        self.room.storeBytes(of: value.littleEndian, toByteOffset: self.count, as: UInt64.self)
        self.count &+= 8
    }

    /// Adds the UTF-8 of a text.
    @inlinable
    package mutating func raw(_ value: StaticString) {
        self.raw(UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// Adds a number of 1 to 10 bytes.
    @inlinable
    @inline(__always)
    package mutating func varint(_ value: UInt64) {
        if value < 1 << 7 { return self.u8(UInt8(truncatingIfNeeded: value)) }
        self.longVarint(value)
    }

    @inlinable
    mutating func longVarint(_ value: UInt64) {
        if value < 1 << 14 {
            self.u8(UInt8(truncatingIfNeeded: value) | 0x80)
            return self.u8(UInt8(truncatingIfNeeded: value >> 7))
        }
        if value < 1 << 56, self.room.count - self.count >= 8 {
            // Seven bits for each byte, and a mark on all but the last, at once.
            var word = (value & 0x0FFF_FFFF) | (value & 0x00FF_FFFF_F000_0000) << 4
            word = (word & 0x0000_3FFF_0000_3FFF) | (word & 0x0FFF_C000_0FFF_C000) << 2
            word = (word & 0x007F_007F_007F_007F) | (word & 0x3F80_3F80_3F80_3F80) << 1
            let last = UInt64(70 &- value.leadingZeroBitCount) / 7 &- 1
            word |= 0x8080_8080_8080_8080 & ((1 << (last &* 8)) &- 1)
            self.room.storeBytes(of: word.littleEndian, toByteOffset: self.count, as: UInt64.self)
            return self.count &+= Int(last) &+ 1
        }
        var rest = value
        while rest >= 0x80 {
            self.room[self.count] = UInt8(truncatingIfNeeded: rest) | 0x80
            self.count &+= 1
            rest >>= 7
        }
        self.room[self.count] = UInt8(truncatingIfNeeded: rest)
        self.count &+= 1
    }

    /// Adds a counted text.
    @inlinable
    package mutating func text(_ value: String) {
        value.withBytes {
            self.varint(UInt64($0.count))
            self.raw($0)
        }
    }
}

/// Reads what ``WireWriter`` wrote, from bytes that the caller keeps alive.
///
/// Every read checks its bounds and throws instead of reading past the end; nothing is ever
/// allocated for a length that the bytes present do not cover.
public struct WireReader {
    /// The bytes being read.
    public let bytes: UnsafeRawBufferPointer
    /// The offset of the next byte to read.
    public var offset: Int

    /// Creates a reader at the start of `bytes`, which must outlive it.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    /// Whether everything was read.
    @inlinable
    public var isAtEnd: Bool { self.offset >= self.bytes.count }

    /// How many bytes are left.
    @inlinable
    public var remaining: Int { self.bytes.count - self.offset }

    /// Reads one byte.
    @inlinable
    public mutating func u8() throws(WireError) -> UInt8 { try self.fixed() }

    /// Reads two bytes.
    @inlinable
    public mutating func u16() throws(WireError) -> UInt16 { try self.fixed() }

    /// Reads four bytes.
    @inlinable
    public mutating func u32() throws(WireError) -> UInt32 { try self.fixed() }

    /// Reads eight bytes.
    @inlinable
    public mutating func u64() throws(WireError) -> UInt64 { try self.fixed() }

    /// Reads eight bytes.
    @inlinable
    public mutating func i64() throws(WireError) -> Int64 {
        Int64(bitPattern: try self.fixed())
    }

    @inlinable
    @inline(__always)
    mutating func fixed<T: FixedWidthInteger>() throws(WireError) -> T {
        let size = MemoryLayout<T>.size
        guard self.remaining >= size else { throw self.truncated(size) }
        let value = self.bytes.loadUnaligned(fromByteOffset: self.offset, as: T.self)
        self.offset &+= size
        return T(littleEndian: value)
    }

    /// Reads a varint.
    @inlinable
    @inline(__always)
    public mutating func varint() throws(WireError) -> UInt64 {
        // Most are of one byte.
        if self.offset < self.bytes.count, self.bytes[self.offset] < 0x80 {
            defer { self.offset &+= 1 }
            return UInt64(self.bytes[self.offset])
        }
        return try self.longVarint()
    }

    @inlinable
    mutating func longVarint() throws(WireError) -> UInt64 {
        if self.remaining >= 8 {
            let word = self.bytes.loadUnaligned(fromByteOffset: self.offset, as: UInt64.self)
                .littleEndian
            // Those that are not of one byte are mostly lengths, of two.
            if word & 0x8080 == 0x80 {
                self.offset &+= 2
                return (word & 0x7F) | (word & 0x7F00) >> 1
            }
            let ends = ~word & 0x8080_8080_8080_8080
            // All bytes up to the one that ends it, without their marks, at once.
            let bits = ends == 0 ? 64 : UInt64(ends.trailingZeroBitCount) &+ 1
            self.offset &+= Int(bits >> 3)
            var value = word & (~0 >> (64 &- bits)) & 0x7F7F_7F7F_7F7F_7F7F
            value = (value & 0x007F_007F_007F_007F) | (value & 0x7F00_7F00_7F00_7F00) >> 1
            value = (value & 0x0000_3FFF_0000_3FFF) | (value & 0x3FFF_0000_3FFF_0000) >> 2
            value = (value & 0x0FFF_FFFF) | (value & 0x0FFF_FFFF_0000_0000) >> 4
            return ends == 0 ? try self.varint(beginning: value, 56) : value
        }
        return try self.varint(beginning: 0, 0)
    }

    /// Reads the rest of a varint, of which so many bits are known.
    @inlinable
    mutating func varint(beginning: UInt64, _ bits: UInt64) throws(WireError) -> UInt64 {
        var value = beginning
        var shift = bits
        while true {
            guard self.offset < self.bytes.count else { throw self.truncated(1) }
            let byte = self.bytes[self.offset]
            self.offset &+= 1
            if shift == 63, byte > 1 { throw WireError("a varint exceeds 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
            if shift > 63 { throw WireError("a varint exceeds 64 bits") }
        }
    }

    /// Reads a varint that must fit `Int`.
    @inlinable
    @inline(__always)
    public mutating func count() throws(WireError) -> Int {
        let value = try self.varint()
        guard value <= UInt64(Int32.max) else { throw self.absurd(value) }
        return Int(value)
    }

    @usableFromInline
    func absurd(_ count: UInt64) -> WireError { WireError("the count \(count) is absurd") }

    /// Reads a counted byte string as a view into the bytes.
    @inlinable
    @inline(__always)
    public mutating func view() throws(WireError) -> UnsafeRawBufferPointer {
        let length = try self.count()
        guard self.remaining >= length else { throw self.truncated(length) }
        let slice = UnsafeRawBufferPointer(
            start: self.bytes.baseAddress?.advanced(by: self.offset),
            count: length
        )
        self.offset &+= length
        return slice
    }

    /// Reads a counted byte string.
    @inlinable
    public mutating func counted() throws(WireError) -> [UInt8] {
        [UInt8](try self.view())
    }

    /// Reads a counted text; bytes that are not UTF-8 are an error.
    @inlinable
    public mutating func text() throws(WireError) -> String {
        guard let text = String(ifUTF8: try self.view()) else {
            throw WireError("a text at byte \(self.offset) is not UTF-8")
        }
        return text
    }

    @usableFromInline
    func truncated(_ needed: Int) -> WireError {
        WireError("cut short: \(needed) bytes wanted at byte \(self.offset) of \(self.bytes.count)")
    }
}

extension String {
    /// Creates the text of some bytes; nil where they are not UTF-8.
    @inlinable
    package init?(ifUTF8 bytes: UnsafeRawBufferPointer) {
        // Most texts are ASCII, which needs no further look.
        if bytes.isASCII {
            self = String(unsafeUninitializedCapacity: bytes.count) {
                UnsafeMutableRawBufferPointer($0).copyMemory(from: bytes)
                return bytes.count
            }
        } else if let text = String(validating: bytes, as: UTF8.self) {
            self = text
        } else {
            return nil
        }
    }

    /// Calls `body` with the text's UTF-8, where it lies if it does in one piece.
    @inlinable
    @inline(__always)
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        let result = self.utf8.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
        if let result { return result }
        var copy = self
        return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    /// Whether these are the bytes of the text; may change how it is stored, not what it says.
    @inlinable
    @inline(__always)
    mutating func hasBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        self.utf8.count == bytes.count && self.withUTF8 { bytes.hasEqualBytes($0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether no byte has its high bit set.
    @inlinable
    var isASCII: Bool {
        var index = 0
        while index &+ 8 <= self.count {
            let word = self.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard word & 0x8080_8080_8080_8080 == 0 else { return false }
            index &+= 8
        }
        let rest = self.count &- index
        return rest == 0
            || StableHash.word(of: self, at: index, rest) & 0x8080_8080_8080_8080 == 0
    }

    /// Whether these are the same bytes; the counts must be equal.
    @inlinable
    package func hasEqualBytes(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
        self.isPart(of: UnsafeRawBufferPointer(other), at: 0)
    }

    /// Whether these bytes stand at `start` of others, which must be as many from there on.
    @inlinable
    func isPart(of other: UnsafeRawBufferPointer, at start: Int) -> Bool {
        guard self.count >= 8 else {
            return StableHash.word(of: self, at: 0, self.count)
                == StableHash.word(of: other, at: start, self.count)
        }
        // The last word may overlap the one before it.
        let last = self.count &- 8
        var index = 0
        while true {
            let left = self.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let right = other.loadUnaligned(fromByteOffset: start &+ index, as: UInt64.self)
            guard left == right else { return false }
            if index == last { return true }
            index &+= 8
            if index > last { index = last }
        }
    }
}
