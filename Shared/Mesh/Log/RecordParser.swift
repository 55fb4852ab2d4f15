/// Reads the body of a log record and tells a visitor what is in it.
package enum RecordParser {
    /// Parses one body.
    ///
    /// - Throws: `WireError` where the body is no record; the check has then held by accident or
    ///   the record was written by another version.
    package static func parse<V: RecordVisitor>(
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
                instance: try reader.text()
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

    private static func turn<V: RecordVisitor>(
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

    private static func events<V: RecordVisitor>(
        _ reader: inout WireReader,
        _ visitor: inout V
    ) throws(WireError) {
        for _ in 0..<(try reader.count()) { try self.event(&reader, &visitor) }
    }

    private static func event<V: RecordVisitor>(
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
        let time = try RecordParser.parse(body, into: &builder)
        guard let built = builder.body else { throw WireError("an empty record") }
        self.init(position: position, time: time, body: built)
    }
}

/// Collects the parts of a record into its value.
private struct RecordBuilder: RecordVisitor {
    var body: LogRecord.Body?

    mutating func opened(layout: UInt64) { self.body = .opened(layout: layout) }

    mutating func published(publisher: String, sequence: UInt64, count: Int) {
        self.body = .published(publisher: publisher, sequence: sequence, events: [])
    }

    mutating func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {
        self.body = .turn(
            RecordedTurn(service: service, partition: partition, epoch: epoch, sequence: sequence)
        )
    }

    private mutating func withTurn(_ change: (inout RecordedTurn) -> Void) {
        guard case .turn(var turn) = self.body else { return }
        self.body = nil
        change(&turn)
        self.body = .turn(turn)
    }

    mutating func acknowledged(topic: Int, offset: UInt64) {
        self.withTurn { $0.acknowledged.append(Acknowledgement(topic: topic, offset: offset)) }
    }

    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) throws(WireError) {
        let event = RecordedEvent(
            topic: topic,
            partition: partition,
            offset: offset,
            event: try EventEnvelope(decoding: envelope)
        )
        switch self.body {
        case .published(let publisher, let sequence, var events):
            events.append(event)
            self.body = .published(publisher: publisher, sequence: sequence, events: events)
        case .turn:
            self.withTurn { $0.events.append(event) }
        case .timerFired(let service, let partition, let name, _):
            self.body = .timerFired(
                service: service,
                partition: partition,
                name: name,
                event: event
            )
        case .redriven(let service, let number, _):
            self.body = .redriven(service: service, number: number, event: event)
        default:
            throw WireError("an event in a record that has none")
        }
    }

    mutating func changed(offset: UInt64, bytes: UnsafeRawBufferPointer) {
        self.withTurn {
            if $0.changes.isEmpty { $0.firstChange = offset }
            $0.changes.append([UInt8](bytes))
        }
    }

    mutating func timerSet(
        name: String,
        due: Instant,
        envelope: UnsafeRawBufferPointer
    ) throws(WireError) {
        let timer = TimerRequest(
            name: name,
            due: due,
            event: try EventEnvelope(decoding: envelope)
        )
        self.withTurn { $0.timersSet.append(timer) }
    }

    mutating func timerCancelled(name: String) {
        self.withTurn { $0.timersCancelled.append(name) }
    }

    mutating func snapshot(_ bytes: UnsafeRawBufferPointer) {
        self.withTurn { $0.snapshot = [UInt8](bytes) }
    }

    mutating func assigned(service: Int, partition: Int, epoch: UInt64, instance: String) {
        self.body = .assigned(
            service: service,
            partition: partition,
            epoch: epoch,
            instance: instance
        )
    }

    private static let nothing = RecordedEvent(
        topic: 0,
        partition: 0,
        offset: 0,
        event: EventEnvelope(
            id: .none,
            source: "",
            type: "",
            subject: "",
            time: .zero,
            trace: TraceContext(startedBy: .none),
            causation: .none,
            correlation: "",
            data: []
        )
    )

    mutating func timerFired(service: Int, partition: Int, name: String) {
        self.body = .timerFired(
            service: service,
            partition: partition,
            name: name,
            event: Self.nothing
        )
    }

    mutating func deadLettered(
        _ letter: DeadLetterHead,
        envelope: UnsafeRawBufferPointer
    ) throws(WireError) {
        self.body = .deadLettered(
            DeadLetter(
                number: letter.number,
                service: letter.service,
                partition: letter.partition,
                topic: letter.topic,
                offset: letter.offset,
                attempts: letter.attempts,
                error: letter.error,
                event: try EventEnvelope(decoding: envelope)
            )
        )
    }

    mutating func redriven(service: Int, number: UInt64) {
        self.body = .redriven(service: service, number: number, event: Self.nothing)
    }

    mutating func rewound(service: Int, partition: Int, topic: Int, offset: UInt64) {
        self.body = .rewound(
            service: service,
            partition: partition,
            topic: topic,
            offset: offset
        )
    }

    mutating func closed() { self.body = .closed }

    mutating func checkpoint(_ state: UnsafeRawBufferPointer) { self.body = .checkpoint }
}
