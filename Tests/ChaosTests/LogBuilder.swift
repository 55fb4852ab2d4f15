import Chaos
import Events
import Mesh
import OutsideParties

/// Builds the log and the ledgers of a run by hand, well formed unless a test says otherwise.
struct LogBuilder {
    static let shopLayout: MeshLayout = MeshLayout(
        topics: [
            "orders.placed", "stock.requests", "stock.results", "stock.supplied",
            "payments.requests", "payments.results", "orders.ended", "notifications.sent",
            "analytics.reported",
        ].map { MeshLayout.Topic(name: $0, partitions: 2) },
        services: [
            Self.consumer(
                "orders",
                ["orders.placed", "stock.results", "payments.results"],
                ["stock.requests", "payments.requests", "orders.ended"]
            ),
            Self.consumer("inventory", ["stock.requests"], ["stock.results", "stock.supplied"]),
            Self.consumer("payments", ["payments.requests"], ["payments.results"]),
            Self.consumer("notifications", ["orders.ended"], ["notifications.sent"]),
            Self.consumer(
                "analytics",
                [
                    "orders.placed", "orders.ended", "payments.results", "stock.results",
                    "notifications.sent",
                ],
                ["analytics.reported"]
            ),
        ],
        publishers: [MeshLayout.Publisher(name: "shoppers", emits: ["orders.placed"])],
        links: []
    )

    private static func consumer(
        _ name: String,
        _ consumes: [String],
        _ emits: [String]
    ) -> MeshLayout.Service {
        MeshLayout.Service(
            name: name,
            consumes: consumes,
            emits: emits,
            partitions: 2,
            settings: ["stockPerProduct": 10]
        )
    }

    let layout: MeshLayout = Self.shopLayout
    private(set) var records: [LogRecord] = []
    var shoppers = ShoppersLedger()
    var bank: [BankLedger.Entry] = []
    var mail: [MailLedger.Entry] = []
    /// The time of the next record.
    var time = Instant(nanoseconds: 1_000_000_000)
    private var position: UInt64 = 0
    private var offsets: [Int: UInt64] = [:]
    private var journals: [Int: UInt64] = [:]
    private var sequences: [Int: UInt64] = [:]
    private var epochs: [Int: UInt64] = [:]
    private var published: UInt64 = 0
    private var eventCount: UInt64 = 0
    /// What each service was given and is not done with.
    private(set) var waiting: [[RecordedEvent]] = []

    init() {
        self.waiting = self.layout.services.map { _ in [] }
        self.append(.opened(layout: self.layout.fingerprint))
        for service in self.layout.services.indices {
            for partition in 0..<2 { self.assign(service, partition) }
        }
    }

    // MARK: Records

    @discardableResult
    mutating func append(_ body: LogRecord.Body) -> UInt64 {
        self.position += 100
        self.time = self.time + .milliseconds(1)
        self.records.append(LogRecord(position: self.position, time: self.time, body: body))
        return self.position
    }

    mutating func assign(_ service: Int, _ partition: Int, epoch: UInt64? = nil) {
        let key = service << 8 | partition
        self.epochs[key] = epoch ?? (self.epochs[key] ?? 0) + 1
        self.sequences[key] = 0
        self.append(
            .assigned(
                service: service,
                partition: partition,
                epoch: self.epochs[key] ?? 0,
                instance: "\(self.layout.services[service].name)/1"
            )
        )
    }

    func envelope(_ event: some Event, from source: String, id: UInt64) -> EventEnvelope {
        let id = EventID(high: id, low: StableHash.combine(id, 7))
        return EventEnvelope(
            id: id,
            source: source,
            type: type(of: event).type,
            subject: event.subject,
            time: self.time,
            trace: TraceContext(startedBy: id),
            causation: .none,
            correlation: "",
            data: event.encoded()
        )
    }

    mutating func place(_ event: some Event, from source: String) -> RecordedEvent {
        self.eventCount += 1
        let envelope = self.envelope(event, from: source, id: self.eventCount)
        let topic = self.topic(type(of: event).topic)
        let partition = StableHash.partition(of: envelope.subject, among: 2)
        return self.place(envelope, topic, partition)
    }

    mutating func place(
        _ envelope: EventEnvelope,
        _ topic: Int,
        _ partition: Int
    ) -> RecordedEvent {
        let key = topic << 8 | partition
        let offset = self.offsets[key] ?? 0
        self.offsets[key] = offset + 1
        let event = RecordedEvent(
            topic: topic,
            partition: partition,
            offset: offset,
            event: envelope
        )
        for service in self.layout.services.indices
        where self.layout.consumedTopics(of: service).contains(topic) {
            self.waiting[service].append(event)
        }
        return event
    }

    func topic(_ name: String) -> Int { self.layout.topicIndex(name) ?? -1 }

    func service(_ name: String) -> Int { self.layout.serviceIndex(name) ?? -1 }

    @discardableResult
    mutating func publish(_ event: some Event) -> RecordedEvent {
        let placed = self.place(event, from: "shoppers")
        self.published += 1
        self.append(
            .published(publisher: "shoppers", sequence: self.published, events: [placed])
        )
        return placed
    }

    /// Appends a turn that acknowledges `handled` and emits `events`.
    @discardableResult
    mutating func turn(
        _ name: String,
        _ handled: [RecordedEvent],
        partition: Int? = nil,
        emit events: [any Event] = [],
        edit: (inout RecordedTurn) -> Void = { _ in }
    ) -> [RecordedEvent] {
        let service = self.service(name)
        let partition = partition ?? handled.first?.partition ?? 0
        let key = service << 8 | partition
        self.sequences[key, default: 0] += 1
        var turn = RecordedTurn(
            service: service,
            partition: partition,
            epoch: self.epochs[key] ?? 0,
            sequence: self.sequences[key] ?? 0
        )
        turn.acknowledged = handled.map { Acknowledgement(topic: $0.topic, offset: $0.offset) }
        turn.events = events.map { self.place($0, from: name) }
        turn.firstChange = self.journals[key] ?? 0
        turn.changes = [[1, 2, 3]]
        self.journals[key, default: 0] += 1
        edit(&turn)
        self.append(.turn(turn))
        self.done(service, handled)
        return turn.events
    }

    mutating func done(_ service: Int, _ handled: [RecordedEvent]) {
        self.waiting[service].removeAll { handled.contains($0) }
    }

    /// Replaces the body of the last record.
    mutating func editLast(_ edit: (inout LogRecord) -> Void) {
        edit(&self.records[self.records.count - 1])
    }

    /// The position of the last record.
    var last: UInt64 { self.position }

    // MARK: Judging

    var ledgers: Ledgers {
        Ledgers(
            shoppers: self.shoppers,
            bank: BankLedger(entries: self.bank),
            mail: MailLedger(entries: self.mail)
        )
    }

    func verdict() -> Verdict {
        let judge = Judge(layout: self.layout)
        for record in self.records { judge.observe(record) }
        return judge.finish(ledgers: self.ledgers)
    }

    func finding(_ name: String) -> Finding? {
        self.verdict().checks.first { $0.name == name }?.finding
    }
}
