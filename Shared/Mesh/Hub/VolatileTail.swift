/// The last events of one partition of a topic that is never synced: kept in memory, not in the
/// log, for as long as there is room for them.
struct VolatileTail {
    private struct Chunk {
        /// The offset of the first event in it.
        var first: UInt64
        /// The events one after the other, each counted, as frames have them.
        var events = WireWriter()
        /// Where each event ends.
        var ends: [Int] = []

        private func start(_ index: Int) -> Int { index == 0 ? 0 : self.ends[index - 1] }

        func withEvent<R>(at offset: UInt64, _ body: (UnsafeRawBufferPointer) -> R) -> R {
            let index = Int(offset - self.first)
            return self.events.bytes.withBytes(self.start(index)..<self.ends[index]) { counted in
                var reader = WireReader(counted)
                guard let envelope = try? reader.view() else {
                    preconditionFailure("a volatile event is not counted")
                }
                return body(envelope)
            }
        }

        /// Appends events until `bytesMax` is reached; returns where it stopped.
        func copy(
            _ offsets: Range<UInt64>,
            upTo bytesMax: Int,
            into writer: inout WireWriter
        ) -> UInt64 {
            let last = min(Int(offsets.upperBound - self.first), self.ends.count) - 1
            var index = Int(offsets.lowerBound - self.first)
            let start = self.start(index)
            while index < last, self.ends[index] - start < bytesMax { index += 1 }
            self.events.bytes.withBytes(start..<self.ends[index]) { writer.raw($0) }
            return self.first + UInt64(index) + 1
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

    /// Appends events: the bytes of all, each counted, and where each ends in them.
    mutating func append(_ events: UnsafeRawBufferPointer, endingAt ends: [Int]) {
        let count = self.newer.events.bytes.count
        if count + events.count > Self.chunkBytes, !self.newer.ends.isEmpty {
            let end = self.end
            swap(&self.older, &self.newer)
            // What was the older one lends its memory to what comes.
            self.newer.first = end
            self.newer.events.bytes.removeAll(keepingCapacity: true)
            self.newer.ends.removeAll(keepingCapacity: true)
        }
        let start = self.newer.events.bytes.count
        self.newer.events.raw(events)
        for end in ends { self.newer.ends.append(start &+ end) }
    }

    /// Calls `body` with the event at `offset`, which must be between ``start`` and ``end``.
    func withEvent<R>(at offset: UInt64, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        offset >= self.newer.first
            ? self.newer.withEvent(at: offset, body) : self.older.withEvent(at: offset, body)
    }

    /// Appends events, each counted, until `bytesMax` is reached or more must be asked for;
    /// returns where it stopped.
    func copy(
        _ offsets: Range<UInt64>,
        upTo bytesMax: Int,
        into writer: inout WireWriter
    ) -> UInt64 {
        offsets.lowerBound >= self.newer.first
            ? self.newer.copy(offsets, upTo: bytesMax, into: &writer)
            : self.older.copy(offsets, upTo: bytesMax, into: &writer)
    }
}
