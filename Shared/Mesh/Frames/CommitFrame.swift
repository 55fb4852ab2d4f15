/// What a turn asks the hub to make durable as one.
package struct Commit: Sendable, Hashable {
    package var partition: Int
    package var epoch: UInt64
    /// 1 for the first commit of an epoch, then without gaps.
    package var sequence: UInt64
    /// How many more deliveries the client is ready for.
    package var credit: Int

    package init(partition: Int, epoch: UInt64, sequence: UInt64, credit: Int = 0) {
        self.partition = partition
        self.epoch = epoch
        self.sequence = sequence
        self.credit = credit
    }

    /// Appends the frame of the commit with what it acknowledges and what was decided.
    package func encode(
        acknowledging runs: some Collection<AcknowledgedRun>,
        _ decision: TurnDecision,
        into writer: inout WireWriter
    ) {
        writer.frame(.commit) { frame in
            frame.pieces(atMost: 5 * WireWriter.varintBytesMax) {
                $0.varint(UInt64(self.partition))
                $0.varint(self.epoch)
                $0.varint(self.sequence)
                $0.varint(UInt64(self.credit))
                $0.varint(UInt64(runs.count))
            }
            for run in runs {
                frame.pieces(atMost: 3 * WireWriter.varintBytesMax) {
                    $0.varint(UInt64(run.topic))
                    $0.varint(run.offsets.lowerBound)
                    $0.varint(UInt64(run.offsets.count))
                }
            }
            decision.encode(into: &frame)
        }
    }
}

/// A commit as it lies in a received frame: its lists are views into the frame's bytes.
package struct CommitView {
    package var partition = 0
    package var epoch: UInt64 = 0
    package var sequence: UInt64 = 0
    package var credit = 0
    package var acknowledged: [AcknowledgedRun] = []
    package var emitted: [(topic: Int, envelope: UnsafeRawBufferPointer)] = []
    package var changes: [UnsafeRawBufferPointer] = []
    package var timersSet: [(name: String, due: Instant, envelope: UnsafeRawBufferPointer)] = []
    package var timersCancelled: [String] = []
    package var snapshot: UnsafeRawBufferPointer?

    package init() {}

    package init(from reader: inout WireReader) throws(WireError) {
        try self.read(from: &reader)
    }

    /// Becomes the next commit, in the room of the lists of the last one.
    package mutating func read(from reader: inout WireReader) throws(WireError) {
        self.acknowledged.clear()
        self.emitted.clear()
        self.changes.clear()
        self.timersSet.clear()
        self.timersCancelled.clear()
        self.snapshot = nil
        self.partition = try reader.count()
        self.epoch = try reader.varint()
        self.sequence = try reader.varint()
        self.credit = try reader.count()
        for _ in 0..<(try reader.count()) {
            let topic = try reader.count()
            let first = try reader.varint()
            let (end, overflow) = first.addingReportingOverflow(UInt64(try reader.count()))
            guard !overflow else { throw WireError("offset \(first) is absurd") }
            self.acknowledged.append(AcknowledgedRun(topic: topic, offsets: first..<end))
        }
        for _ in 0..<(try reader.count()) {
            self.emitted.append((try reader.count(), try reader.view()))
        }
        for _ in 0..<(try reader.count()) { self.changes.append(try reader.view()) }
        for _ in 0..<(try reader.count()) {
            self.timersSet.append(
                (try reader.text(), Instant(nanoseconds: try reader.i64()), try reader.view())
            )
        }
        for _ in 0..<(try reader.count()) { self.timersCancelled.append(try reader.text()) }
        if try reader.u8() == 1 { self.snapshot = try reader.view() }
        guard reader.isAtEnd else { throw WireError("\(reader.remaining) bytes follow a commit") }
    }
}

extension Array {
    /// Removes all and keeps the room; to remove nothing takes no time.
    mutating func clear() {
        if !self.isEmpty { self.removeAll(keepingCapacity: true) }
    }
}
