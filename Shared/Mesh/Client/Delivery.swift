/// One attempt to hand an event to a service.
package struct Delivery: Sendable, Hashable {
    package var topic: Int
    package var offset: UInt64
    /// 1 for the first attempt.
    package var attempt: Int
    package var event: EventEnvelope

    package init(topic: Int, offset: UInt64, attempt: Int, event: EventEnvelope) {
        self.topic = topic
        self.offset = offset
        self.attempt = attempt
        self.event = event
    }

    package var place: Acknowledgement { Acknowledgement(topic: self.topic, offset: self.offset) }
}

/// Tells deliveries that are new, expected again, or repeated by mistake.
struct Intake {
    private var next: UInt64
    /// Offsets below `next` that have not come yet.
    private var missing: Set<UInt64> = []
    /// Offsets that failed and will come again.
    private var awaited: Set<UInt64> = []

    init(floor: UInt64) {
        self.next = floor
    }

    mutating func accepts(_ offset: UInt64) -> Bool {
        if offset >= self.next {
            for skipped in self.next..<offset { self.missing.insert(skipped) }
            self.next = offset + 1
            return true
        }
        return self.missing.remove(offset) != nil || self.awaited.remove(offset) != nil
    }

    mutating func awaits(_ offset: UInt64) { self.awaited.insert(offset) }
}
