/// What a turn's record says of the state of its service: all that a new owner wants of it.
package struct RecordedState: Sendable {
    package fileprivate(set) var changes: [[UInt8]] = []
    /// The whole state after the turn, where it took a snapshot.
    package fileprivate(set) var snapshot: [UInt8]?
}

extension Log {
    /// Returns what the record at `position` says of its service's state; nil where it is no turn.
    package func state(at position: UInt64) throws(LogError) -> RecordedState? {
        try self.withRecord(at: position) { body throws(WireError) in
            var visitor = StateVisitor()
            _ = try RecordParser.parse(body, into: &visitor)
            return visitor.isTurn ? visitor.state : nil
        }
    }
}

private struct StateVisitor: PlaceVisitor {
    var isTurn = false
    var state = RecordedState()

    mutating func record(at position: UInt64) {}
    mutating func recorded(at time: Instant) {}

    mutating func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {
        self.isTurn = true
    }

    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {}

    mutating func changed(offset: UInt64, bytes: UnsafeRawBufferPointer) {
        self.state.changes.append([UInt8](bytes))
    }

    mutating func snapshot(_ bytes: UnsafeRawBufferPointer) {
        self.state.snapshot = [UInt8](bytes)
    }
}
