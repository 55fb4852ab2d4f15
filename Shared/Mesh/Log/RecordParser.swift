/// Reads the body of a log record and tells a visitor what is in it.
package enum RecordParser {
    /// Parses one body.
    ///
    /// - Throws: `WireError` where the body is no record; the check has then held by accident or
    ///   the record was written by another version.
    package static func parse<V: RecordVisitor & ~Copyable>(
        _ body: UnsafeRawBufferPointer,
        into visitor: inout V
    ) throws(WireError) -> Instant {
        var reader = WireReader(body)
        let code = try reader.u8()
        let time = Instant(nanoseconds: try reader.i64())
        guard let kind = RecordFormat.Kind(rawValue: code) else {
            throw WireError("unknown kind of record: \(code)")
        }
        switch kind {
        case .opened:
            visitor.opened(layout: try reader.u64())
        case .published:
            let publisher = try reader.text()
            let sequence = try reader.varint()
            let count = try reader.count()
            visitor.published(publisher: publisher, sequence: sequence, count: count)
            for _ in 0..<count { try self.event(&reader, &visitor) }
        case .turn:
            try self.turn(&reader, &visitor)
        case .assigned:
            visitor.assigned(
                service: try reader.count(),
                partition: try reader.count(),
                epoch: try reader.varint(),
                instance: try reader.text(),
                isProjection: try reader.u8() == 1
            )
        case .timerFired:
            visitor.timerFired(
                service: try reader.count(),
                partition: try reader.count(),
                name: try reader.text()
            )
            try self.event(&reader, &visitor)
        case .deadLettered:
            let head = DeadLetterHead(
                number: try reader.varint(),
                service: try reader.count(),
                partition: try reader.count(),
                topic: try reader.count(),
                offset: try reader.varint(),
                attempts: try reader.count(),
                error: try reader.text()
            )
            try visitor.deadLettered(head, envelope: try reader.view())
        case .redriven:
            visitor.redriven(service: try reader.count(), number: try reader.varint())
            try self.event(&reader, &visitor)
        case .rewound:
            visitor.rewound(
                service: try reader.count(),
                partition: try reader.count(),
                topic: try reader.count(),
                offset: try reader.varint()
            )
        case .closed:
            visitor.closed()
        case .checkpoint:
            try visitor.checkpoint(try reader.view())
        }
        guard reader.isAtEnd else { throw WireError("\(reader.remaining) bytes follow a record") }
        return time
    }

    private static func turn<V: RecordVisitor & ~Copyable>(
        _ reader: inout WireReader,
        _ visitor: inout V
    ) throws(WireError) {
        visitor.turn(
            service: try reader.count(),
            partition: try reader.count(),
            epoch: try reader.varint(),
            sequence: try reader.varint()
        )
        for _ in 0..<(try reader.count()) {
            visitor.acknowledged(topic: try reader.count(), offset: try reader.varint())
        }
        try self.events(&reader, &visitor)
        let first = try reader.varint()
        let changes = try reader.count()
        guard first <= UInt64.max - UInt64(changes) else {
            throw WireError("a change beyond every journal: \(first)")
        }
        for index in 0..<changes {
            visitor.changed(offset: first + UInt64(index), bytes: try reader.view())
        }
        for _ in 0..<(try reader.count()) {
            try visitor.timerSet(
                name: try reader.text(),
                due: Instant(nanoseconds: try reader.i64()),
                envelope: try reader.view()
            )
        }
        for _ in 0..<(try reader.count()) {
            visitor.timerCancelled(name: try reader.text())
        }
        if try reader.u8() == 1 { visitor.snapshot(try reader.view()) }
    }

    private static func events<V: RecordVisitor & ~Copyable>(
        _ reader: inout WireReader,
        _ visitor: inout V
    ) throws(WireError) {
        for _ in 0..<(try reader.count()) { try self.event(&reader, &visitor) }
    }

    private static func event<V: RecordVisitor & ~Copyable>(
        _ reader: inout WireReader,
        _ visitor: inout V
    ) throws(WireError) {
        let topic = try reader.count()
        let partition = try reader.count()
        let offset = try reader.varint()
        let envelope = try reader.view()
        try visitor.event(
            topic: topic,
            partition: partition,
            offset: offset,
            envelope: envelope,
            at: reader.offset - envelope.count
        )
    }
}

extension LogRecord {
    /// Decodes the record that lies at `position`.
    package init(decoding body: UnsafeRawBufferPointer, at position: UInt64) throws(WireError) {
        var builder = RecordBuilder()
        self = try builder.record(decoding: body, at: position)
    }
}

/// Collects the parts of a record, each in its place, and makes a value of them at the end.
struct RecordBuilder: RecordVisitor, Sendable {
    private enum Kind {
        case nothing
        case whole(LogRecord.Body)
        case published(publisher: String, sequence: UInt64)
        case turn
        case timerFired(service: Int, partition: Int, name: String)
        case redriven(service: Int, number: UInt64)
    }

    private var texts: RecentTexts
    private var kind = Kind.nothing
    private var made = RecordedTurn(service: 0, partition: 0, epoch: 0, sequence: 0)

    /// Creates a builder; one that `keepsTexts` makes those anew only that it has not made lately.
    init(keepsTexts: Bool = false) {
        self.texts = RecentTexts(keeps: keepsTexts)
    }

    /// Decodes the record that lies at `position`.
    mutating func record(
        decoding body: UnsafeRawBufferPointer,
        at position: UInt64
    ) throws(WireError) -> LogRecord {
        // What a record left that could not be read.
        if case .nothing = self.kind {} else { self.clear() }
        let time = try RecordParser.parse(body, into: &self)
        return LogRecord(position: position, time: time, body: try self.taken())
    }

    private mutating func clear() {
        self.kind = .nothing
        self.made = RecordedTurn(service: 0, partition: 0, epoch: 0, sequence: 0)
    }

    /// Takes the record out, so that the next one can be built.
    private mutating func taken() throws(WireError) -> LogRecord.Body {
        defer { self.kind = .nothing }
        if case .turn = self.kind {
            // Moved, not copied: it has many parts.
            var turn = RecordedTurn(service: 0, partition: 0, epoch: 0, sequence: 0)
            swap(&turn, &self.made)
            return .turn(turn)
        }
        defer { self.made.events = [] }
        switch self.kind {
        case .nothing, .turn: throw WireError("an empty record")
        case .whole(let body):
            guard self.made.events.isEmpty else {
                throw WireError("an event in a record that has none")
            }
            return body
        case .published(let publisher, let sequence):
            return .published(publisher: publisher, sequence: sequence, events: self.made.events)
        case .timerFired(let service, let partition, let name):
            return .timerFired(
                service: service,
                partition: partition,
                name: name,
                event: try self.onlyEvent()
            )
        case .redriven(let service, let number):
            return .redriven(service: service, number: number, event: try self.onlyEvent())
        }
    }

    private func onlyEvent() throws(WireError) -> RecordedEvent {
        guard let event = self.made.events.first else {
            throw WireError("a record without its event")
        }
        return event
    }

    mutating func opened(layout: UInt64) { self.kind = .whole(.opened(layout: layout)) }

    mutating func published(publisher: String, sequence: UInt64, count: Int) {
        self.kind = .published(publisher: publisher, sequence: sequence)
    }

    mutating func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {
        self.kind = .turn
        self.made.service = service
        self.made.partition = partition
        self.made.epoch = epoch
        self.made.sequence = sequence
    }

    mutating func acknowledged(topic: Int, offset: UInt64) {
        self.made.acknowledged.append(Acknowledgement(topic: topic, offset: offset))
    }

    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) throws(WireError) {
        self.made.events.append(
            RecordedEvent(
                topic: topic,
                partition: partition,
                offset: offset,
                event: try EventEnvelope(decoding: envelope, like: &self.texts)
            )
        )
    }

    mutating func changed(offset: UInt64, bytes: UnsafeRawBufferPointer) {
        if self.made.changes.isEmpty { self.made.firstChange = offset }
        self.made.changes.append([UInt8](bytes))
    }

    mutating func timerSet(
        name: String,
        due: Instant,
        envelope: UnsafeRawBufferPointer
    ) throws(WireError) {
        self.made.timersSet.append(
            TimerRequest(
                name: name,
                due: due,
                event: try EventEnvelope(decoding: envelope, like: &self.texts)
            )
        )
    }

    mutating func timerCancelled(name: String) { self.made.timersCancelled.append(name) }

    mutating func snapshot(_ bytes: UnsafeRawBufferPointer) {
        self.made.snapshot = [UInt8](bytes)
    }

    mutating func assigned(
        service: Int,
        partition: Int,
        epoch: UInt64,
        instance: String,
        isProjection: Bool
    ) {
        self.kind = .whole(
            .assigned(service: service, partition: partition, epoch: epoch, instance: instance)
        )
    }

    mutating func timerFired(service: Int, partition: Int, name: String) {
        self.kind = .timerFired(service: service, partition: partition, name: name)
    }

    mutating func deadLettered(
        _ letter: DeadLetterHead,
        envelope: UnsafeRawBufferPointer
    ) throws(WireError) {
        self.kind = .whole(
            .deadLettered(DeadLetter(letter, event: try EventEnvelope(decoding: envelope)))
        )
    }

    mutating func redriven(service: Int, number: UInt64) {
        self.kind = .redriven(service: service, number: number)
    }

    mutating func rewound(service: Int, partition: Int, topic: Int, offset: UInt64) {
        self.kind = .whole(
            .rewound(service: service, partition: partition, topic: topic, offset: offset)
        )
    }

    mutating func closed() { self.kind = .whole(.closed) }

    mutating func checkpoint(_ state: UnsafeRawBufferPointer) { self.kind = .whole(.checkpoint) }
}
