/// A record of the log of which only what judges ask for is made into values.
///
/// One view takes in one record after the other and keeps its memory, so that following a log
/// allocates nothing for a record. Texts and data of the events stay bytes until they are asked
/// for; what is asked about an event must be asked of the view that it came from, and before the
/// next record.
package struct RecordView: Sendable {
    /// What kind of record it is, and what it has besides its events.
    package enum Body: Sendable {
        case opened(layout: UInt64)
        case published(publisher: String)
        /// See ``RecordView/turn``.
        case turn
        case assigned(service: Int, partition: Int, epoch: UInt64, instance: String)
        case timerFired(service: Int, partition: Int, name: String)
        case deadLettered(DeadLetter)
        case redriven(service: Int, number: UInt64)
        case rewound(service: Int, partition: Int, topic: Int, offset: UInt64)
        case closed
        case checkpoint
    }

    /// Who committed a turn, and what it changed.
    package struct Turn: Sendable {
        package fileprivate(set) var service = 0
        package fileprivate(set) var partition = 0
        package fileprivate(set) var epoch: UInt64 = 0
        package fileprivate(set) var sequence: UInt64 = 0
        /// The offset in the journal of the first change.
        package fileprivate(set) var firstChange: UInt64 = 0
        package fileprivate(set) var changeCount = 0
        package fileprivate(set) var timersSet: [TimerView] = []
        package fileprivate(set) var timersCancelled: [String] = []
        /// Whether the turn took a snapshot of no state at all.
        package fileprivate(set) var hasEmptySnapshot = false
    }

    /// A timer that a turn sets.
    package struct TimerView: Sendable {
        package var name: String
        package var due: Instant
        /// The event that it brings.
        package var event: EventID
    }

    /// An event at its place in a topic.
    package struct EventView: Sendable {
        package let topic: Int
        package let partition: Int
        package let offset: UInt64
        package let id: EventID
        package let time: Instant
        /// The stable hash of the subject.
        package let subjectHash: UInt64
        /// The stable hash of the type.
        package let typeHash: UInt64
        /// The stable hash of the producer's name.
        package let sourceHash: UInt64
        /// Where the event's binary form lies in the bytes of its view.
        fileprivate let start: Int32
        fileprivate let end: Int32
        /// Where its texts lie.
        fileprivate let source: Text
        fileprivate let type: Text
        fileprivate let correlation: Text
        /// Where its data begin; they end with the event.
        fileprivate let data: Int32
    }

    /// Where a text lies.
    fileprivate struct Text: Sendable {
        var start: Int32
        var count: Int32
    }

    /// The byte position of the record in the log; unique and ascending.
    package private(set) var position: UInt64 = 0
    /// When the hub appended it, in the hub's time.
    package private(set) var time = Instant.zero
    package private(set) var body = Body.checkpoint
    /// The turn, where the record is one; else nothing of it means anything.
    package private(set) var turn = Turn()
    /// What the turn has done with.
    package private(set) var acknowledged: [Acknowledgement] = []
    /// The events that the record added to topics of the topology or to an inbox.
    package private(set) var events: [EventView] = []
    /// The events' binary forms.
    private var bytes: [UInt8] = []

    package init() {}

    /// Creates the view of a record that was taken out of its log.
    package init(_ record: LogRecord) {
        self.take(record)
    }

    /// Takes in the record that lies at `position`, in place of the one before.
    mutating func take(
        decoding body: UnsafeRawBufferPointer,
        at position: UInt64
    ) throws(WireError) {
        self.clear()
        self.position = position
        self.time = try RecordParser.parse(body, into: &self)
    }

    private mutating func clear() {
        // One by one: they are few, and this costs less than to remove all.
        while !self.acknowledged.isEmpty { self.acknowledged.removeLast() }
        while !self.events.isEmpty { self.events.removeLast() }
        if !self.bytes.isEmpty {
            self.bytes.removeAll(keepingCapacity: self.bytes.capacity <= Self.bytesKeptMax)
        }
        if !self.turn.timersSet.isEmpty { self.turn.timersSet = [] }
        if !self.turn.timersCancelled.isEmpty { self.turn.timersCancelled = [] }
        self.turn.changeCount = 0
        self.turn.hasEmptySnapshot = false
    }

    /// What one large record needed is not kept for ever.
    private static let bytesKeptMax = 1 << 20
}

// MARK: - What is asked of it

extension RecordView {
    /// The producer's name.
    package func source(of event: EventView) -> String { self.text(event.source) }

    /// What kind of event it is.
    package func type(of event: EventView) -> String { self.text(event.type) }

    /// The event's ordering key.
    package func subject(of event: EventView) -> String {
        self.withView(of: event) { $0.subjectText }
    }

    /// Whether the event's business key is `key`.
    package func isCorrelation(_ key: String, of event: EventView) -> Bool {
        guard key.utf8.count == Int(event.correlation.count) else { return false }
        return self.text(event.correlation) == key
    }

    /// The event that caused it, or `.none` where a journey starts.
    package func causation(of event: EventView) -> EventID {
        self.withView(of: event) { $0.head.causation }
    }

    /// Calls `body` with the binary form of the typed event.
    package func withData<R>(
        of event: EventView,
        _ body: (UnsafeRawBufferPointer) -> R
    ) -> R {
        self.bytes.withBytes(Int(event.data)..<Int(event.end), body)
    }

    private func withView<R>(of event: EventView, _ body: (EnvelopeView) -> R) -> R {
        self.bytes.withBytes(Int(event.start)..<Int(event.end)) { bytes in
            do throws(WireError) {
                return body(try EnvelopeView(bytes))
            } catch {
                preconditionFailure("an event that was read before: \(error)")
            }
        }
    }

    private func text(_ text: Text) -> String {
        self.bytes.withBytes(text.range) { String(decoding: $0, as: UTF8.self) }
    }
}

extension RecordView.Text {
    fileprivate var range: Range<Int> { Int(self.start)..<Int(self.start) + Int(self.count) }
}

// MARK: - How it is filled

extension RecordView: RecordVisitor {
    mutating package func opened(layout: UInt64) { self.body = .opened(layout: layout) }

    mutating package func published(publisher: String, sequence: UInt64, count: Int) {
        self.body = .published(publisher: publisher)
    }

    mutating package func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {
        self.body = .turn
        self.turn.service = service
        self.turn.partition = partition
        self.turn.epoch = epoch
        self.turn.sequence = sequence
    }

    mutating package func acknowledged(topic: Int, offset: UInt64) {
        self.acknowledged.append(Acknowledgement(topic: topic, offset: offset))
    }

    mutating package func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) throws(WireError) {
        let view = try EnvelopeView(envelope)
        try view.check()
        self.add(view, envelope, topic, partition, offset)
    }

    private mutating func add(
        _ view: EnvelopeView,
        _ envelope: UnsafeRawBufferPointer,
        _ topic: Int,
        _ partition: Int,
        _ offset: UInt64
    ) {
        let start = self.bytes.count
        let base = UInt(bitPattern: envelope.baseAddress)
        let text = { (part: UnsafeRawBufferPointer) -> Text in
            let place = start &+ Int(UInt(bitPattern: part.baseAddress) &- base)
            return Text(
                start: Int32(truncatingIfNeeded: place),
                count: Int32(truncatingIfNeeded: part.count)
            )
        }
        let end = start + envelope.count
        self.events.append(
            EventView(
                topic: topic,
                partition: partition,
                offset: offset,
                id: view.head.id,
                time: view.head.time,
                subjectHash: StableHash.of(view.subject),
                typeHash: StableHash.of(view.type),
                sourceHash: StableHash.of(view.source),
                start: Int32(truncatingIfNeeded: start),
                end: Int32(truncatingIfNeeded: end),
                source: text(view.source),
                type: text(view.type),
                correlation: text(view.correlation),
                data: Int32(truncatingIfNeeded: end &- view.data.count)
            )
        )
        self.bytes.append(contentsOf: envelope)
    }

    mutating package func changed(offset: UInt64, bytes: UnsafeRawBufferPointer) {
        if self.turn.changeCount == 0 { self.turn.firstChange = offset }
        self.turn.changeCount += 1
    }

    mutating package func timerSet(
        name: String,
        due: Instant,
        envelope: UnsafeRawBufferPointer
    ) throws(WireError) {
        let view = try EnvelopeView(envelope)
        try view.check()
        self.turn.timersSet.append(TimerView(name: name, due: due, event: view.head.id))
    }

    mutating package func timerCancelled(name: String) { self.turn.timersCancelled.append(name) }

    mutating package func snapshot(_ bytes: UnsafeRawBufferPointer) {
        self.turn.hasEmptySnapshot = bytes.isEmpty
    }

    mutating package func assigned(
        service: Int,
        partition: Int,
        epoch: UInt64,
        instance: String,
        isProjection: Bool
    ) {
        self.body = .assigned(
            service: service,
            partition: partition,
            epoch: epoch,
            instance: instance
        )
    }

    mutating package func timerFired(service: Int, partition: Int, name: String) {
        self.body = .timerFired(service: service, partition: partition, name: name)
    }

    mutating package func deadLettered(
        _ letter: DeadLetterHead,
        envelope: UnsafeRawBufferPointer
    ) throws(WireError) {
        self.body = .deadLettered(
            DeadLetter(letter, event: try EventEnvelope(decoding: envelope))
        )
    }

    mutating package func redriven(service: Int, number: UInt64) {
        self.body = .redriven(service: service, number: number)
    }

    mutating package func rewound(service: Int, partition: Int, topic: Int, offset: UInt64) {
        self.body = .rewound(
            service: service,
            partition: partition,
            topic: topic,
            offset: offset
        )
    }

    mutating package func closed() { self.body = .closed }

    mutating package func checkpoint(_ state: UnsafeRawBufferPointer) { self.body = .checkpoint }
}

extension RecordView {
    /// Takes in a record that was taken out of its log, in place of the one before.
    package mutating func take(_ record: LogRecord) {
        self.clear()
        self.position = record.position
        self.time = record.time
        switch record.body {
        case .opened(let layout): self.body = .opened(layout: layout)

        case .published(let publisher, _, let events):
            self.body = .published(publisher: publisher)
            self.add(events)

        case .turn(let turn): self.take(turn)

        case .assigned(let service, let partition, let epoch, let instance):
            self.body = .assigned(
                service: service,
                partition: partition,
                epoch: epoch,
                instance: instance
            )

        case .timerFired(let service, let partition, let name, let event):
            self.body = .timerFired(service: service, partition: partition, name: name)
            self.add([event])

        case .deadLettered(let letter): self.body = .deadLettered(letter)

        case .redriven(let service, let number, let event):
            self.body = .redriven(service: service, number: number)
            self.add([event])

        case .rewound(let service, let partition, let topic, let offset):
            self.rewound(service: service, partition: partition, topic: topic, offset: offset)

        case .closed: self.body = .closed
        case .checkpoint: self.body = .checkpoint
        }
    }

    private mutating func take(_ turn: RecordedTurn) {
        self.turn(
            service: turn.service,
            partition: turn.partition,
            epoch: turn.epoch,
            sequence: turn.sequence
        )
        self.acknowledged += turn.acknowledged
        self.add(turn.events)
        self.turn.firstChange = turn.firstChange
        self.turn.changeCount = turn.changes.count
        self.turn.timersSet = turn.timersSet.map {
            TimerView(name: $0.name, due: $0.due, event: $0.event.id)
        }
        self.turn.timersCancelled = turn.timersCancelled
        self.turn.hasEmptySnapshot = turn.snapshot?.isEmpty == true
    }

    private mutating func add(_ events: [RecordedEvent]) {
        for event in events {
            event.event.encoded().withUnsafeBytes { bytes in
                do throws(WireError) {
                    self.add(
                        try EnvelopeView(bytes),
                        bytes,
                        event.topic,
                        event.partition,
                        event.offset
                    )
                } catch {
                    preconditionFailure("an event that was just encoded: \(error)")
                }
            }
        }
    }
}
