/// How old segments go.
extension Log {
    /// How many segments there are.
    package var segmentCount: Int { self.segments.count }

    /// A segment that could be removed.
    package struct SegmentView {
        /// Where the next segment begins.
        package var end: UInt64
        /// How large the log is from this segment on, in bytes.
        package var bytesFromHere: Int
        /// When its last record was appended, or the last one before it that is known.
        package var lastTime: Instant
    }

    /// Removes segments, oldest first, for as long as `isRemoved` says so; the last two stay.
    ///
    /// - Returns: where the log begins now, or nil where nothing was removed.
    package func removeSegments(
        while isRemoved: (SegmentView) -> Bool
    ) throws(LogError) -> UInt64? {
        var removed = false
        while self.segments.count > 2 {
            let view = SegmentView(
                end: self.segments[1].base,
                bytesFromHere: Int(self.end - self.segments[0].base),
                lastTime: try self.lastTime(of: 0)
            )
            guard isRemoved(view) else { break }
            do {
                if self.disk.recycles, !self.hasSpare {
                    try self.disk.rename(self.segments[0].file, to: Self.spareFile)
                    self.hasSpare = true
                } else {
                    try self.disk.remove(self.segments[0].file)
                }
            } catch {
                throw LogError(error)
            }
            self.segments.removeFirst()
            removed = true
        }
        return removed ? self.segments[0].base : nil
    }

    /// The time of a segment's last record, read once: segments only change at the log's end.
    private func lastTime(of index: Int) throws(LogError) -> Instant {
        if let time = self.segments[index].lastTime { return time }
        var finder = LastTimeVisitor()
        var position = self.segments[index].base
        let end = self.segments[index + 1].base
        while position < end {
            let next = try self.scan(from: position, bytesMax: 1 << 20, into: &finder)
            if next == position { break }
            position = next
        }
        self.segments[index].lastTime = finder.time
        return finder.time
    }
}

/// Keeps the time of the last record that has one.
private struct LastTimeVisitor: PlaceVisitor {
    var time = Instant.zero

    mutating func record(at position: UInt64) {}
    mutating func recorded(at time: Instant) { self.time = max(self.time, time) }
    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {}
}
