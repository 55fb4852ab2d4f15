import Mesh

/// The events that a publisher sent and that the hub has not yet made durable, in their order.
///
/// Pure: numbers what is sent, says what to send again after a reconnection.
struct PublishWindow {
    /// One event on its way.
    private struct Entry {
        var sequence: UInt64
        var frame: [UInt8]
    }

    private var entries: [Entry] = []
    private var first = 0
    /// The number of the last event that was added.
    private(set) var lastSequence: UInt64 = 0
    /// Everything up to this number is durable or refused.
    private(set) var acceptedUpTo: UInt64 = 0

    /// How many events have no answer yet.
    var count: Int { self.entries.count - self.first }

    /// Adds an event and returns the frame to send.
    mutating func add(_ event: EventEnvelope, topic: Int) -> [UInt8] {
        self.lastSequence += 1
        var writer = WireWriter()
        writer.frame(.publish) {
            $0.varint(self.lastSequence)
            $0.varint(UInt64(topic))
            $0.counted(event.encoded())
        }
        self.entries.append(Entry(sequence: self.lastSequence, frame: writer.bytes))
        return writer.bytes
    }

    /// The hub has everything up to `sequence`; returns whether that is news.
    mutating func accepted(upTo sequence: UInt64) -> Bool {
        guard sequence > self.acceptedUpTo else { return false }
        self.acceptedUpTo = sequence
        while self.first < self.entries.count, self.entries[self.first].sequence <= sequence {
            self.first += 1
        }
        if self.first > 1024, self.first * 2 > self.entries.count {
            self.entries.removeFirst(self.first)
            self.first = 0
        }
        return true
    }

    /// The hub refused an event for good.
    mutating func refused(_ sequence: UInt64) {
        guard let index = self.entries[self.first...].firstIndex(where: { $0.sequence == sequence })
        else { return }
        self.entries.remove(at: index)
    }

    /// Returns everything without an answer, to be sent again.
    func unanswered() -> [UInt8] {
        self.entries[self.first...].flatMap(\.frame)
    }
}
