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

    /// Creates an event of about so many bytes, with the number 0.
    init(filling size: Int) {
        self.filler = [UInt8](repeating: 0x78, count: max(0, size - Self.headBytes))
    }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("sequence", &self.sequence)
        try coder.field("sent", &self.sent)
        try coder.field("scheduled", &self.scheduled)
        try coder.field("filler", &self.filler)
    }

    var id: EventID { EventID(high: 1, low: UInt64(bitPattern: self.sequence)) }

    /// Takes the fields from a binary form that has all of them.
    mutating func decode(_ data: UnsafeRawBufferPointer) throws(WireError) {
        var coder = BinaryDecoder(reader: WireReader(data))
        try self.fields(&coder)
    }

    /// The event as its producer publishes it; the data follow when it is encoded.
    func envelope(source: String, subject: String) -> EventEnvelope {
        EventEnvelope(
            id: self.id,
            source: source,
            type: Self.type,
            subject: subject,
            time: Instant(nanoseconds: self.sent),
            trace: TraceContext(startedBy: self.id),
            causation: .none,
            correlation: subject,
            data: []
        )
    }
}
