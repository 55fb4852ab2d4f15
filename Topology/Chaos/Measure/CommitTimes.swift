import Mesh

/// When the newest events of one topic partition were committed, in a ring that grows to a limit.
struct CommitTimes: Sendable, Hashable {
    private static let capacityMax = 4096
    private var times: [Int64] = []
    private var end: UInt64 = 0
    private var start: UInt64 = 0

    mutating func append(_ time: Instant, at offset: UInt64) {
        // A gap is for an invariant to report; here it only begins the ring anew.
        if offset != self.end || self.times.isEmpty {
            self.times.removeAll(keepingCapacity: true)
            self.start = offset
        }
        self.end = offset &+ 1
        if self.times.count < Self.capacityMax {
            self.times.append(time.nanoseconds)
        } else {
            self.times[Int((offset - self.start) % UInt64(Self.capacityMax))] = time.nanoseconds
        }
    }

    /// When an event was committed, or the oldest time still known where it was before that.
    subscript(offset: UInt64) -> Instant? {
        guard !self.times.isEmpty, offset < self.end else { return nil }
        let oldest = max(self.start, self.end - UInt64(self.times.count))
        let index = (max(offset, oldest) - self.start) % UInt64(Self.capacityMax)
        return Instant(nanoseconds: self.times[Int(index)])
    }
}
