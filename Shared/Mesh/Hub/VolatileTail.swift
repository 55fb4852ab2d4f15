/// The last events of one partition of a topic that is never synced: kept in memory, not in the
/// log, for as long as there is room for them.
struct VolatileTail {
    private struct Chunk {
        /// The offset of the first event in it.
        var first: UInt64
        var bytes: [UInt8] = []
        /// Where each event ends.
        var ends: [Int] = []

        func range(of offset: UInt64) -> Range<Int> {
            let index = Int(offset - self.first)
            return (index == 0 ? 0 : self.ends[index - 1])..<self.ends[index]
        }
    }

    /// How large each of the two chunks grows.
    static let chunkBytes = 4 << 20

    private var older: Chunk
    private var newer: Chunk

    /// Begins with the event that gets this offset.
    init(from offset: UInt64) {
        self.older = Chunk(first: offset)
        self.newer = Chunk(first: offset)
    }

    /// The first offset that is still there; the end where none is.
    var start: UInt64 { self.older.first }
    /// The offset that the next event gets.
    var end: UInt64 { self.newer.first + UInt64(self.newer.ends.count) }

    mutating func append(_ envelope: UnsafeRawBufferPointer) {
        if self.newer.bytes.count + envelope.count > Self.chunkBytes, !self.newer.ends.isEmpty {
            let end = self.end
            swap(&self.older, &self.newer)
            // What was the older one lends its memory to what comes.
            self.newer.first = end
            self.newer.bytes.removeAll(keepingCapacity: true)
            self.newer.ends.removeAll(keepingCapacity: true)
        }
        self.newer.bytes.append(contentsOf: envelope.assumingMemoryBound(to: UInt8.self))
        self.newer.ends.append(self.newer.bytes.count)
    }

    /// Calls `body` with the event at `offset`, which must be between ``start`` and ``end``.
    func withEvent<R>(at offset: UInt64, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        offset >= self.newer.first
            ? self.newer.bytes.withBytes(self.newer.range(of: offset), body)
            : self.older.bytes.withBytes(self.older.range(of: offset), body)
    }

    /// Appends events, each counted, until `bytesMax` is exceeded; returns where it stopped.
    func copy(
        _ offsets: Range<UInt64>,
        upTo bytesMax: Int,
        into writer: inout WireWriter
    ) -> UInt64 {
        let limit = writer.bytes.count + bytesMax
        var offset = offsets.lowerBound
        while offset < offsets.upperBound, writer.bytes.count < limit {
            self.withEvent(at: offset) { writer.counted($0) }
            offset += 1
        }
        return offset
    }
}
