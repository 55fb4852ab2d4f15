/// How far a publisher is, and which of its events were refused on the way.
///
/// A publisher numbers its events without gaps and sends them in order, so a number that was
/// passed over was refused. That is known from the log alone: a refusal needs no record, which a
/// full disk would have no room for.
struct PublisherProgress: Hashable {
    /// The last number that is stored.
    private(set) var storedUpTo: UInt64 = 0
    /// Numbers below it that were refused, ascending.
    private(set) var refused: [ClosedRange<UInt64>] = []

    /// How many ranges are kept; older ones have long been answered.
    static let rangesMax = 1024

    init() {}

    /// Whether that event was taken or refused before.
    func knows(_ sequence: UInt64) -> Bool { sequence <= self.storedUpTo }

    func hasRefused(_ sequence: UInt64) -> Bool {
        self.refused.contains { $0.contains(sequence) }
    }

    /// Notes the last of `count` events that follow each other without a gap.
    mutating func stored(_ sequence: UInt64, count: UInt64 = 1) {
        guard sequence > self.storedUpTo else { return }
        let first = sequence - min(count, sequence) + 1
        if first > self.storedUpTo + 1 {
            self.refused.append((self.storedUpTo + 1)...(first - 1))
            if self.refused.count > Self.rangesMax { self.refused.removeFirst() }
        }
        self.storedUpTo = sequence
    }

    func encode(into writer: inout WireWriter) {
        writer.varint(self.storedUpTo)
        writer.ranges(self.refused)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.storedUpTo = try reader.varint()
        self.refused = try reader.ranges()
    }
}

extension WireWriter {
    /// Writes ranges of numbers.
    mutating func ranges(_ ranges: [ClosedRange<UInt64>]) {
        self.varint(UInt64(ranges.count))
        for range in ranges {
            self.varint(range.lowerBound)
            self.varint(range.upperBound)
        }
    }
}

extension WireReader {
    /// Reads what ``WireWriter/ranges(_:)`` wrote.
    mutating func ranges() throws(WireError) -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        for _ in 0..<(try self.count()) {
            let first = try self.varint()
            let last = try self.varint()
            guard first <= last else { throw WireError("a range ends before it begins") }
            ranges.append(first...last)
        }
        return ranges
    }
}
