/// An outside party that publishes: numbers its events, and sends those again that the hub has not
/// confirmed when the connection comes back.
///
/// What is published between two calls of ``takeOutput()`` travels in one frame and becomes one
/// record. Pure, like ``ServiceClient``.
@usableFromInline
package struct PublisherClient: Sendable {
    package enum Action: Sendable, Hashable {
        /// Everything up to this sequence number is durable.
        case accepted(upTo: UInt64)
        /// This event was refused and will never be stored.
        case refused(sequence: UInt64, Refusal)
        /// The hub does not let this publisher in.
        case shutOut(Refusal)
    }

    /// A topic as the hub numbers it.
    private struct Topic {
        var name: String
        var number: Int
        var isVolatile: Bool
    }

    /// A whole frame of events, kept until the hub has confirmed or refused each of them.
    private struct Batch {
        var last: UInt64
        var frame: [UInt8]
    }

    private let hello: Hello
    @usableFromInline var out = WireWriter()
    /// The frame that is being filled, and where it began; the events of one that is closed are
    /// in ``batches``.
    @usableFromInline var open = WireWriter()
    /// The frame of volatile events that is being filled, at the end of what is to be sent.
    private var volatile: (topic: Int, start: Int)?
    private var topics: [String: Topic]?
    /// The topic that was published to last.
    private var lastTopic: Topic?
    /// What was published before the hub said for the first time which topics there are.
    private var early: [(sequence: UInt64, topic: String, envelope: [UInt8])] = []
    private var batches: [Batch] = []
    private var first = 0
    /// The first batch that was not handed out on this connection.
    private var unsent = 0
    /// The memory of settled batches, for those to come.
    private var spares: [[UInt8]] = []
    /// Everything up to here is confirmed or refused.
    private var settledUpTo: UInt64 = 0
    /// Numbers above that which were refused.
    private var refused: Set<UInt64> = []
    private var last: UInt64 = 0
    private var isSealing = false
    /// The names of the event that was published last.
    @usableFromInline var names = WrittenNames()

    /// How many unconfirmed events are sent again at once where nobody asked for them.
    private static let resentMax = 1024

    package init(hello: Hello) {
        self.hello = hello
    }

    /// How many events are not confirmed.
    package var unconfirmedCount: Int { Int(self.last - self.settledUpTo) - self.refused.count }

    /// Whether the hub has let the publisher in.
    package private(set) var isConnected = false

    /// Of how many settled batches the memory is kept.
    private static let sparesMax = 8
    /// More memory than this is not kept for the next output.
    private static let keptBytesMax = 4 * Frame.batchBytes

    /// Returns the frames to send, and forgets them.
    package mutating func takeOutput() -> [UInt8] {
        self.close()
        self.closeVolatile()
        var bytes: [UInt8] = []
        swap(&bytes, &self.out.bytes)
        self.takeBatches { if bytes.isEmpty { bytes = $1 } else { bytes += $1 } }
        guard self.isSealing else { return bytes }
        return Seal.sealed(frames: bytes, as: Frame.ToHub.sealed.rawValue)
    }

    /// Passes the frames to send to `send`, if any, and forgets them but not their memory: cheaper
    /// than ``takeOutput()`` where much is published.
    package mutating func sendOutput(_ send: ([UInt8]) -> Void) {
        guard !self.isSealing else {
            let bytes = self.takeOutput()
            if !bytes.isEmpty { send(bytes) }
            return
        }
        self.close()
        self.closeVolatile()
        if self.out.bytes.isEmpty, self.unsent == self.batches.count - 1 {
            return self.takeBatches { send($1) }
        }
        self.takeBatches { $0.out.bytes += $1 }
        guard !self.out.bytes.isEmpty else { return }
        send(self.out.bytes)
        self.out.bytes.removeAll(keepingCapacity: self.out.bytes.capacity <= Self.keptBytesMax)
    }

    /// Hands out the batches that were closed since the last time.
    private mutating func takeBatches(_ take: (inout Self, [UInt8]) -> Void) {
        guard self.isConnected else { return }
        while self.unsent < self.batches.count {
            take(&self, self.batches[self.unsent].frame)
            self.unsent += 1
        }
    }

    package mutating func connected() {
        self.dropOutput()
        self.hello.encode(into: &self.out)
    }

    package mutating func disconnected() {
        self.isConnected = false
        self.isSealing = false
        self.dropOutput()
    }

    /// Forgets what was to be sent on a connection that is gone; unconfirmed events stay.
    private mutating func dropOutput() {
        self.close()
        self.volatile = nil
        self.out = WireWriter()
    }

    // MARK: Publishing

    /// Publishes an event; returns its sequence number, from 1 without gaps.
    ///
    /// Events of a topic that is never synced have no number once the hub has said so: they are
    /// sent where there is a connection, nobody confirms them, and 0 is returned.
    @discardableResult
    package mutating func publish(_ event: EventEnvelope, to topic: String) -> UInt64 {
        self.publish(to: topic) { writer, _ in event.encode(into: &writer) }
    }

    /// Publishes an event, its data being the fields of `content`, which stays as it is.
    @inlinable
    @discardableResult
    package mutating func publish(
        _ event: EventEnvelope,
        carrying content: inout some WireCodable,
        to topic: String
    ) -> UInt64 {
        self.publish(to: topic) { writer, names in
            event.encode(into: &writer, like: &names, carrying: &content)
        }
    }

    /// Where an event goes, and where it begins there.
    @usableFromInline
    enum Place {
        /// Nobody would get it.
        case nowhere
        /// It waits for the first welcome.
        case early
        case numbered(start: Int)
        case volatile(start: Int)
    }

    /// Publishes what `write` appends, given the names of the event before.
    @inlinable
    @inline(__always)
    mutating func publish(
        to topic: String,
        _ write: (inout WireWriter, inout WrittenNames) -> Void
    ) -> UInt64 {
        switch self.begin(topic) {
        case .nowhere: return 0
        case .early:
            var writer = WireWriter()
            write(&writer, &self.names)
            return self.endEarly(topic, writer.bytes)
        case .numbered(let start):
            write(&self.open, &self.names)
            return self.endNumbered(start)
        case .volatile(let start):
            write(&self.out, &self.names)
            return self.endVolatile(start)
        }
    }

    /// Begins an event of a topic, which ends with the call for its place.
    @usableFromInline
    mutating func begin(_ name: String) -> Place {
        guard let topic = self.topic(name) else { return .early }
        guard topic.isVolatile else { return .numbered(start: self.beginNumbered(topic.number)) }
        return self.isConnected ? .volatile(start: self.beginVolatile(topic.number)) : .nowhere
    }

    @usableFromInline
    mutating func endEarly(_ topic: String, _ envelope: [UInt8]) -> UInt64 {
        self.last += 1
        self.early.append((self.last, topic, envelope))
        return self.last
    }

    /// Returns what is known of a topic; nil where none is known yet.
    private mutating func topic(_ name: String) -> Topic? {
        if let topic = self.lastTopic, topic.name == name { return topic }
        guard let topics = self.topics else { return nil }
        let unknown = Topic(name: name, number: Int(Int32.max), isVolatile: false)
        let topic = topics[name] ?? unknown
        self.lastTopic = topic
        return topic
    }

    /// Begins an event in the frame that is being filled; returns where.
    private mutating func beginNumbered(_ topic: Int) -> Int {
        self.last += 1
        return self.beginNumbered(topic, as: self.last)
    }

    private mutating func beginNumbered(_ topic: Int, as sequence: UInt64) -> Int {
        if self.open.bytes.isEmpty {
            _ = self.open.beginFrame(Frame.ToHub.publish.rawValue)
            // The event before this one, which the hub must have had first; 0 where there is none.
            self.open.varint(self.lastOpen(before: sequence))
        }
        self.open.varint(sequence)
        self.open.varint(UInt64(topic))
        return self.open.beginCounted()
    }

    @usableFromInline
    mutating func endNumbered(_ start: Int) -> UInt64 {
        self.open.endCounted(start)
        if self.isSealing || self.open.bytes.count >= Frame.batchBytes { self.close() }
        return self.last
    }

    /// Returns the last number before `sequence` that is neither confirmed nor refused, or 0.
    private func lastOpen(before sequence: UInt64) -> UInt64 {
        var sequence = sequence - 1
        while sequence > self.settledUpTo, self.refused.contains(sequence) { sequence -= 1 }
        return sequence > self.settledUpTo ? sequence : 0
    }

    /// Ends the frame that is being filled: it is sent where there is a connection, and kept.
    private mutating func close() {
        guard !self.open.bytes.isEmpty else { return }
        self.open.endFrame(0)
        var batch = Batch(last: self.last, frame: self.spares.popLast() ?? [])
        batch.frame.reserveCapacity(self.open.bytes.count)
        swap(&batch.frame, &self.open.bytes)
        self.batches.append(batch)
    }

    private mutating func beginVolatile(_ topic: Int) -> Int {
        if self.volatile?.topic != topic {
            self.closeVolatile()
            let start = self.out.beginFrame(Frame.ToHub.volatile.rawValue)
            self.out.varint(UInt64(topic))
            self.volatile = (topic, start)
        }
        return self.out.beginCounted()
    }

    @usableFromInline
    mutating func endVolatile(_ start: Int) -> UInt64 {
        self.out.endCounted(start)
        let frame = self.volatile?.start ?? 0
        if self.isSealing || self.out.bytes.count - frame >= Frame.batchBytes {
            self.closeVolatile()
        }
        return 0
    }

    private mutating func closeVolatile() {
        guard let volatile = self.volatile else { return }
        self.out.endFrame(volatile.start)
        self.volatile = nil
    }

    // MARK: Sending again

    /// Sends again what is not confirmed: nothing was heard of it for so long that it, or the
    /// answer, must have been lost.
    package mutating func sendAgain() {
        self.sendAgain(atMost: Self.resentMax)
    }

    private mutating func sendAgain(atMost count: Int) {
        guard self.isConnected else { return }
        self.close()
        // What was never sent is among the rest.
        if count == .max { self.unsent = self.batches.count }
        var before: UInt64 = 0
        var left = count
        var frame = WireWriter()
        for batch in self.batches[self.first...] where left > 0 {
            batch.frame.withUnsafeBytes { bytes in
                var reader = WireReader(bytes, offset: 5)
                _ = try? reader.varint()
                while left > 0, let sequence = try? reader.varint(),
                    let topic = try? reader.count(), let envelope = try? reader.view()
                {
                    guard sequence > self.settledUpTo, !self.refused.contains(sequence)
                    else { continue }
                    if frame.bytes.isEmpty {
                        _ = frame.beginFrame(Frame.ToHub.publish.rawValue)
                        frame.varint(before)
                    }
                    frame.varint(sequence)
                    frame.varint(UInt64(topic))
                    frame.counted(envelope)
                    before = sequence
                    left -= 1
                    if self.isSealing || frame.bytes.count >= Frame.batchBytes {
                        self.sendOnce(&frame)
                    }
                }
            }
        }
        self.sendOnce(&frame)
    }

    private mutating func sendOnce(_ frame: inout WireWriter) {
        guard !frame.bytes.isEmpty else { return }
        frame.endFrame(0)
        self.closeVolatile()
        self.out.bytes += frame.bytes
        frame.bytes = []
    }

    // MARK: What the hub says

    /// A frame has arrived; `frame` is its body.
    package mutating func received(
        _ frame: UnsafeRawBufferPointer
    ) throws(WireError) -> [Action] {
        var reader = WireReader(frame)
        let code = try reader.u8()
        switch Frame.FromHub(rawValue: code) {
        case .welcome:
            let welcome = try Welcome(from: &reader)
            let actions =
                self.forget(refused: welcome.refused)
                + self.confirmed(upTo: welcome.publishedUpTo)
            self.welcomed(welcome)
            return actions
        case .publishGap:
            let actions = self.confirmed(upTo: try reader.varint())
            self.sendAgain(atMost: .max)
            return actions
        case .seal:
            self.isSealing = try reader.u8() == 1
            return []
        case .sealed:
            guard let inside = Seal.opened(frame) else { return [] }
            return try self.received(inside)
        case .published:
            return self.confirmed(upTo: try reader.varint())
        case .publishRefused:
            let sequence = try reader.varint()
            let code = Refusal.Code(rawValue: try reader.u8()) ?? .malformed
            let refusal = Refusal(code, try reader.text())
            // What is said twice on a bad link is told once.
            return self.remove(sequence...sequence).map { .refused(sequence: $0, refusal) }
        case .refused:
            let code = Refusal.Code(rawValue: try reader.u8()) ?? .malformed
            return [.shutOut(Refusal(code, try reader.text()))]
        default:
            throw WireError("the hub sent a frame of kind \(code), which is not for a publisher")
        }
    }

    /// Sends what is not confirmed, and what was published before.
    private mutating func welcomed(_ welcome: Welcome) {
        self.close()
        var topics: [String: Topic] = [:]
        for (number, topic) in welcome.topics.enumerated() {
            topics[topic.name] = Topic(
                name: topic.name,
                number: number,
                isVolatile: topic.sync == .never
            )
        }
        self.topics = topics
        self.lastTopic = nil
        let early = self.early
        self.early = []
        for event in early {
            let number = topics[event.topic]?.number ?? Int(Int32.max)
            let start = self.beginNumbered(number, as: event.sequence)
            self.open.bytes += event.envelope
            _ = self.endNumbered(start)
        }
        self.close()
        self.isConnected = true
        self.sendAgain(atMost: .max)
    }

    /// Forgets what the hub refused before the connection that should have said so was lost.
    private mutating func forget(refused ranges: [ClosedRange<UInt64>]) -> [Action] {
        let refusal = Refusal(.full, "the hub refused it before the connection was lost")
        return ranges.flatMap { range in
            self.remove(range).map { .refused(sequence: $0, refusal) }
        }
    }

    /// Settles what is pending of a range, and returns its numbers.
    private mutating func remove(_ range: ClosedRange<UInt64>) -> [UInt64] {
        let start = max(range.lowerBound, self.settledUpTo + 1)
        let end = min(range.upperBound, self.last)
        guard start <= end else { return [] }
        let removed = (start...end).filter { self.refused.insert($0).inserted }
        self.settle()
        return removed
    }

    private mutating func confirmed(upTo sequence: UInt64) -> [Action] {
        let before = self.unconfirmedCount
        let end = min(sequence, self.last)
        guard end > self.settledUpTo else { return [] }
        self.settledUpTo = end
        if !self.refused.isEmpty { self.refused = self.refused.filter { $0 > end } }
        self.settle()
        return self.unconfirmedCount < before ? [.accepted(upTo: sequence)] : []
    }

    /// Forgets batches of which nothing is open any more.
    private mutating func settle() {
        while !self.refused.isEmpty, self.refused.remove(self.settledUpTo + 1) != nil {
            self.settledUpTo += 1
        }
        while self.first < self.batches.count, self.batches[self.first].last <= self.settledUpTo {
            self.spareFirst()
            self.first += 1
        }
        guard self.first > 64 || self.first == self.batches.count else { return }
        self.batches.removeFirst(self.first)
        self.unsent = max(0, self.unsent - self.first)
        self.first = 0
    }

    /// Takes the memory of the first batch, and keeps it unless one event has made it large.
    private mutating func spareFirst() {
        var spare: [UInt8] = []
        swap(&spare, &self.batches[self.first].frame)
        guard self.spares.count < Self.sparesMax, spare.capacity <= 2 * Frame.batchBytes
        else { return }
        spare.removeAll(keepingCapacity: true)
        self.spares.append(spare)
    }
}
