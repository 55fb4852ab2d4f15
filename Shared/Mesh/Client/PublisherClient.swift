/// An outside party that publishes: numbers its events, and sends those again that the hub has not
/// confirmed when the connection comes back.
///
/// Pure, like ``ServiceClient``.
package struct PublisherClient: Sendable {
    package enum Action: Sendable, Hashable {
        /// Everything up to this sequence number is durable.
        case accepted(upTo: UInt64)
        /// This event was refused and will never be stored.
        case refused(sequence: UInt64, Refusal)
        /// The hub does not let this publisher in.
        case shutOut(Refusal)
    }

    private struct Pending {
        var sequence: UInt64
        var topic: String
        var envelope: [UInt8]
    }

    private let hello: Hello
    private var out = WireWriter()
    private var topics: [String: Int]?
    private var pending: [Pending] = []
    private var first = 0
    private var last: UInt64 = 0

    package init(hello: Hello) {
        self.hello = hello
    }

    /// How many events are not confirmed.
    package var unconfirmedCount: Int { self.pending.count - self.first }

    /// Whether the hub has let the publisher in.
    package var isConnected: Bool { self.topics != nil }

    /// Returns the frames to send, and forgets them.
    package mutating func takeOutput() -> [UInt8] {
        defer { self.out.bytes = [] }
        return self.out.bytes
    }

    package mutating func connected() {
        self.out = WireWriter()
        self.hello.encode(into: &self.out)
    }

    package mutating func disconnected() {
        self.topics = nil
        self.out = WireWriter()
    }

    /// Publishes an event; returns its sequence number, from 1 without gaps.
    package mutating func publish(_ event: EventEnvelope, to topic: String) -> UInt64 {
        self.last += 1
        let pending = Pending(sequence: self.last, topic: topic, envelope: event.encoded())
        self.pending.append(pending)
        self.send(pending)
        return self.last
    }

    private mutating func send(_ pending: Pending) {
        guard let topics = self.topics else { return }
        self.out.frame(.publish) {
            $0.varint(pending.sequence)
            $0.varint(UInt64(topics[pending.topic] ?? Int(Int32.max)))
            $0.counted(pending.envelope)
        }
    }

    /// A frame has arrived; `frame` is its body.
    package mutating func received(
        _ frame: UnsafeRawBufferPointer
    ) throws(WireError) -> [Action] {
        var reader = WireReader(frame)
        let code = try reader.u8()
        switch Frame.FromHub(rawValue: code) {
        case .welcome:
            let welcome = try Welcome(from: &reader)
            var topics: [String: Int] = [:]
            for (number, topic) in welcome.topics.enumerated() { topics[topic.name] = number }
            self.topics = topics
            let actions =
                self.forget(refused: welcome.refused)
                + self.confirmed(upTo: welcome.publishedUpTo)
            for pending in self.pending[self.first...] { self.send(pending) }
            return actions
        case .published:
            return self.confirmed(upTo: try reader.varint())
        case .publishRefused:
            let sequence = try reader.varint()
            let code = Refusal.Code(rawValue: try reader.u8()) ?? .malformed
            let refusal = Refusal(code, try reader.text())
            self.remove(sequence...sequence)
            return [.refused(sequence: sequence, refusal)]
        case .refused:
            let code = Refusal.Code(rawValue: try reader.u8()) ?? .malformed
            return [.shutOut(Refusal(code, try reader.text()))]
        default:
            throw WireError("the hub sent a frame of kind \(code), which is not for a publisher")
        }
    }

    /// Forgets what the hub refused before the connection that should have said so was lost.
    private mutating func forget(refused ranges: [ClosedRange<UInt64>]) -> [Action] {
        let refusal = Refusal(.full, "the hub refused it before the connection was lost")
        return ranges.flatMap { range in
            self.remove(range).map { .refused(sequence: $0, refusal) }
        }
    }

    /// Removes what is pending of a range, and returns its numbers.
    @discardableResult
    private mutating func remove(_ range: ClosedRange<UInt64>) -> [UInt64] {
        let start = self.firstPending(from: range.lowerBound)
        var end = start
        while end < self.pending.count, self.pending[end].sequence <= range.upperBound { end += 1 }
        let removed = self.pending[start..<end].map(\.sequence)
        self.pending.removeSubrange(start..<end)
        return removed
    }

    /// Returns the place of the first one that is pending with at least that number.
    ///
    /// - Complexity: O(log *n*).
    private func firstPending(from sequence: UInt64) -> Int {
        var (low, high) = (self.first, self.pending.count)
        while low < high {
            let middle = (low + high) / 2
            if self.pending[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func confirmed(upTo sequence: UInt64) -> [Action] {
        let before = self.first
        while self.first < self.pending.count, self.pending[self.first].sequence <= sequence {
            self.first += 1
        }
        guard self.first > before else { return [] }
        if self.first > 1024 {
            self.pending.removeFirst(self.first)
            self.first = 0
        }
        return [.accepted(upTo: sequence)]
    }
}
