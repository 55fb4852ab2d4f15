/// Where the bytes of an event's envelope lie in the log.
struct EventPlace: Sendable, Hashable {
    var position: UInt64
    var count: UInt32
}

/// The index of one partition of one topic over the physical log.
///
/// The places of the last events are all kept; of the older ones only every 64th record's, from
/// which a reader scans forward. Memory: 16 bytes a recent event, 1/8 byte an old one.
struct TopicPartition {
    /// The offset that the next event gets.
    private(set) var end: UInt64 = 0
    private(set) var recentStart: UInt64 = 0
    private var recent: [EventPlace] = []
    private var sparse: [UInt64] = []
    /// The number of strides whose records retention has removed.
    private var removedStrides: UInt64 = 0
    /// The events themselves where the topic is never synced; nil where they are in the log.
    private(set) var volatile: VolatileTail?
    private static let stride: UInt64 = 64
    private static let recentMax = 1024

    init() {}

    /// Adds an event that is kept in memory only.
    mutating func appendVolatile(_ envelope: UnsafeRawBufferPointer) {
        if self.volatile == nil { self.volatile = VolatileTail(from: self.end) }
        self.volatile?.append(envelope)
        self.end += 1
    }

    /// Reads what ``encode(into:)`` wrote; no event counts as recent.
    init(from reader: inout WireReader) throws(WireError) {
        self.end = try reader.varint()
        self.recentStart = self.end
        self.removedStrides = try reader.varint()
        var position: UInt64 = 0
        for _ in 0..<(try reader.count()) {
            position += try reader.varint()
            self.sparse.append(position)
        }
    }

    func encode(into writer: inout WireWriter) {
        writer.varint(self.end)
        writer.varint(self.removedStrides)
        writer.varint(UInt64(self.sparse.count))
        var before: UInt64 = 0
        for position in self.sparse {
            writer.varint(position - before)
            before = position
        }
    }

    /// Adds the event that lies at `place`, in the record at `record`; returns its offset.
    @discardableResult
    mutating func append(_ place: EventPlace, record: UInt64) -> UInt64 {
        let offset = self.end
        self.append(CollectionOfOne(place), record: record)
        return offset
    }

    /// Adds events that lie in one record.
    mutating func append(_ places: some Collection<EventPlace>, record: UInt64) {
        for place in places {
            if self.end.isMultiple(of: Self.stride) { self.sparse.append(record) }
            self.recent.append(place)
            self.end += 1
        }
        if self.recent.count >= 2 * Self.recentMax {
            let surplus = self.recent.count - Self.recentMax
            self.recent.removeFirst(surplus)
            self.recentStart += UInt64(surplus)
        }
    }

    /// Returns where a recent event lies, or nil where only a scan can tell.
    func place(of offset: UInt64) -> EventPlace? {
        guard offset >= self.recentStart, offset < self.end else { return nil }
        return self.recent[Int(offset - self.recentStart)]
    }

    /// Returns the position of a record from which a scan forward meets the event at `offset`.
    func scanStart(for offset: UInt64) -> UInt64? {
        guard !self.sparse.isEmpty else { return nil }
        let stride = max(offset / Self.stride, self.removedStrides) - self.removedStrides
        return self.sparse[Int(min(stride, UInt64(self.sparse.count) - 1))]
    }

    /// The first offset that can still be read.
    var start: UInt64 {
        self.volatile?.start ?? min(self.removedStrides * Self.stride, self.end)
    }

    /// The records before `position` are gone: forgets the offsets that lay there.
    mutating func removed(before position: UInt64) {
        let gone = self.sparse.prefix { $0 < position }.count
        // The last stride may reach across the cut; then its first events are gone.
        guard gone > 0 else { return }
        self.sparse.removeFirst(gone)
        self.removedStrides += UInt64(gone)
    }
}
