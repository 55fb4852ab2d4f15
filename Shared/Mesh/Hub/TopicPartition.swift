/// Where the bytes of an event's envelope lie in the log.
struct EventPlace: Sendable, Hashable {
    var position: UInt64
    var count: UInt32
}

/// The index of one partition of one topic over the physical log.
///
/// The places of the last events are all kept, and of more where a consumer is about to ask for
/// them; of the older ones only those of every 64th record, from which a reader scans on. Where
/// those are many, every second one is dropped, so that memory and checkpoints stay small however
/// long the log becomes: 40 KiB, or 140 KiB where somebody is behind.
struct TopicPartition {
    /// The offset that the next event gets.
    private(set) var end: UInt64 = 0
    private(set) var recentStart: UInt64 = 0
    private var recent: [EventPlace] = []
    /// The records of the events at `first`, `first + stride` and so on.
    private var sparse: [UInt64] = []
    private var first: UInt64 = 0
    private var stride = Self.strideMin
    /// The events themselves where the topic is never synced; nil where they are in the log.
    private(set) var volatile: VolatileTail?
    private static let strideMin: UInt64 = 64
    private static let sparseMax = 1024
    private static let recentMax = 1024
    private static let recentMaxForReaders = 8192
    /// How many places there may be before it is looked who needs them.
    private var trimAt = 2 * Self.recentMax

    init() {}

    /// Adds an event that is kept in memory only.
    mutating func appendVolatile(_ envelope: UnsafeRawBufferPointer) {
        var writer = WireWriter()
        writer.counted(envelope)
        writer.bytes.withUnsafeBytes { self.appendVolatile($0, endingAt: [$0.count]) }
    }

    /// Adds events that are kept in memory only: the bytes of all, each counted, and where each
    /// ends in them.
    mutating func appendVolatile(_ events: UnsafeRawBufferPointer, endingAt ends: [Int]) {
        if self.volatile == nil { self.volatile = VolatileTail(from: self.end) }
        self.volatile?.append(events, endingAt: ends)
        self.end += UInt64(ends.count)
    }

    /// Reads what ``encode(into:)`` wrote; no event counts as recent.
    init(from reader: inout WireReader) throws(WireError) {
        self.end = try reader.varint()
        self.recentStart = self.end
        self.first = try reader.varint()
        self.stride = try reader.varint()
        guard self.stride > 0 else { throw WireError("an index has no stride") }
        var position: UInt64 = 0
        for _ in 0..<(try reader.count()) {
            position += try reader.varint()
            self.sparse.append(position)
        }
    }

    func encode(into writer: inout WireWriter) {
        writer.varint(self.end)
        writer.varint(self.first)
        writer.varint(self.stride)
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
            // Where retention has taken everything, what comes next is the first to be found.
            if self.sparse.isEmpty { self.first = self.end }
            if self.end == self.first &+ UInt64(self.sparse.count) &* self.stride {
                if self.sparse.count >= Self.sparseMax { self.thinOut() }
                self.sparse.append(record)
            }
            self.recent.append(place)
            self.end += 1
        }
    }

    /// Whether there are so many places that ``forget(before:)`` is due.
    var isCrowded: Bool { self.recent.count >= self.trimAt }

    /// Forgets the places that nobody is about to ask for, those before `offset`, but for the last.
    mutating func forget(before offset: UInt64) {
        let needed = Int(min(self.end - min(self.end, offset), UInt64(Self.recentMaxForReaders)))
        self.keepLast(max(needed, Self.recentMax))
        self.trimAt = self.recent.count + Self.recentMax
    }

    private mutating func keepLast(_ count: Int) {
        let surplus = max(0, self.recent.count - count)
        self.recent.removeFirst(surplus)
        self.recentStart += UInt64(surplus)
    }

    /// Drops every second place.
    ///
    /// There is an even number of them, so that the next one comes where it would have come.
    private mutating func thinOut() {
        self.sparse = self.sparse.indices.filter { $0.isMultiple(of: 2) }.map { self.sparse[$0] }
        self.stride *= 2
    }

    /// Returns where a recent event lies, or nil where only a scan can tell.
    func place(of offset: UInt64) -> EventPlace? {
        guard offset >= self.recentStart, offset < self.end else { return nil }
        return self.recent[Int(offset - self.recentStart)]
    }

    /// Returns the position of a record from which a scan forward meets the event at `offset`, or
    /// nil where no event is left.
    func scanStart(for offset: UInt64) -> UInt64? {
        let index = (max(offset, self.first) - self.first) / self.stride
        return self.sparse.isEmpty ? nil : self.sparse[min(Int(index), self.sparse.count - 1)]
    }

    /// The first offset that can still be read.
    var start: UInt64 { self.volatile?.start ?? (self.sparse.isEmpty ? self.end : self.first) }

    /// The records before `position` are gone: forgets the offsets that lay there.
    mutating func removed(before position: UInt64) {
        // The last stride may reach across the cut; then its first events are gone.
        let gone = self.sparse.prefix { $0 < position }.count
        self.sparse.removeFirst(gone)
        self.first &+= UInt64(gone) &* self.stride
    }
}
