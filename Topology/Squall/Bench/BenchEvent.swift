import Mesh

/// What the bench sends: numbered, stamped and filled up to the size that is measured.
struct BenchEvent: Event {
    static let type = "bench.sent.v1"
    static let topic = "work"

    /// The names of so many topics.
    static func topics(_ count: Int) -> [String] {
        [self.topic] + (1..<max(1, count)).map { "\(self.topic)-\($0)" }
    }

    /// So many subjects.
    static func subjects(_ count: Int) -> [String] {
        [self.subject] + (1..<max(1, count)).map { "\(self.subject)-\($0)" }
    }
    /// What the fields take apart from the filler.
    static let headBytes = 24

    var sequence: Int64 = 0
    /// When it was sent, and when it should have been, in nanoseconds of the machine's clock.
    var sent: Int64 = 0
    var scheduled: Int64 = 0
    var filler: [UInt8] = []
    var subject: String { Self.subject }
    private static let subject = "bench"

    init() {}

    init(sequence: Int64, sent: Int64, scheduled: Int64, filler: [UInt8]) {
        self.sequence = sequence
        self.sent = sent
        self.scheduled = scheduled
        self.filler = filler
    }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("sequence", &self.sequence)
        try coder.field("sent", &self.sent)
        try coder.field("scheduled", &self.scheduled)
        try coder.field("filler", &self.filler)
    }

    /// The event as its producer publishes it; the data follow when it is encoded.
    func envelope(source: String, subject: String) -> EventEnvelope {
        let id = EventID(high: 1, low: UInt64(bitPattern: self.sequence))
        return EventEnvelope(
            id: id,
            source: source,
            type: Self.type,
            subject: subject,
            time: Instant(nanoseconds: self.sent),
            trace: TraceContext(startedBy: id),
            causation: .none,
            correlation: subject,
            data: []
        )
    }
}
