/// One attempt to hand an event to a service; a class, as it passes through many hands.
package final class Delivery: Sendable {
    package let topic: Int
    package let offset: UInt64
    /// 1 for the first attempt.
    package let attempt: Int
    package let event: EventEnvelope

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
    /// The offsets below `next` that have not come yet, ascending: few ranges, however long.
    private var missing: [Range<UInt64>] = []
    /// Offsets that failed and will come again.
    private var awaited: Set<UInt64> = []

    init(floor: UInt64) {
        self.next = floor
    }

    mutating func accepts(_ offset: UInt64) -> Bool {
        if offset >= self.next {
            guard offset < .max else { return false }
            if offset > self.next { self.missing.append(self.next..<offset) }
            self.next = offset + 1
            return true
        }
        return self.takeMissing(offset) || self.awaited.remove(offset) != nil
    }

    private mutating func takeMissing(_ offset: UInt64) -> Bool {
        guard let index = self.missing.firstIndex(where: { $0.upperBound > offset }),
            self.missing[index].contains(offset)
        else { return false }
        let range = self.missing[index]
        let rest = [range.lowerBound..<offset, offset + 1..<range.upperBound]
        self.missing.replaceSubrange(index...index, with: rest.filter { !$0.isEmpty })
        return true
    }

    mutating func awaits(_ offset: UInt64) { self.awaited.insert(offset) }
}
