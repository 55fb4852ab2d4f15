/// The 128-bit id of an event.
///
/// A turn derives the ids of what it emits from its cause and their index, so that a repeated turn
/// emits the same ids.
public struct EventID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first eight bytes.
    public var high: UInt64
    /// The last eight bytes.
    public var low: UInt64

    /// The id that no event has.
    public static let none = EventID(high: 0, low: 0)

    /// Creates an id of its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Returns the id of the `index`-th event that `producer` emits because of this one.
    public func derived(by producer: String, index: Int) -> EventID {
        let word = StableHash.of(producer, seed: UInt64(index))
        return EventID(
            high: StableHash.combine(self.high ^ word, self.low),
            low: StableHash.combine(self.low ^ word, self.high &+ 1)
        )
    }

    /// The id's 32 hexadecimal digits.
    public var description: String { Hex.text(self.high) + Hex.text(self.low) }

    /// Orders ids by their digits; the order has no meaning but is the same everywhere.
    public static func < (left: EventID, right: EventID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// Which journey an event belongs to, as W3C Trace Context carries it.
public struct TraceContext: Sendable, Hashable {
    /// The trace id's first eight bytes.
    public var traceHigh: UInt64
    /// The trace id's last eight bytes.
    public var traceLow: UInt64
    /// The id of the span in which the journey started.
    public var span: UInt64

    /// Creates a trace context of its parts; an all-zero trace or span id is invalid.
    public init(traceHigh: UInt64, traceLow: UInt64, span: UInt64) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
    }

    /// Creates the context of the journey that `event` starts.
    public init(startedBy event: EventID) {
        self.init(traceHigh: event.high, traceLow: event.low | 1, span: event.low | 1)
    }

    /// The `traceparent` header, version 00, sampled.
    public var traceparent: String {
        "00-\(Hex.text(self.traceHigh))\(Hex.text(self.traceLow))-\(Hex.text(self.span))-01"
    }
}

/// An immutable fact on its way: the attributes of CloudEvents 1.0 and the data.
public struct EventEnvelope: Sendable, Hashable {
    /// The event's id, unique in the topology.
    public var id: EventID
    /// The service or outside party that produced it.
    public var source: String
    /// What happened, with the version: `orders.placed.v1`.
    public var type: String
    /// The ordering key: events of one topic and subject arrive in their order.
    public var subject: String
    /// When its producer says it happened.
    public var time: Instant
    /// The journey it belongs to.
    public var trace: TraceContext
    /// The event that caused it, or `.none` where a journey starts.
    public var causation: EventID
    /// The business key of the journey, such as the order's id.
    public var correlation: String
    /// The binary form of the typed event.
    public var data: [UInt8]

    /// Creates an event of its attributes.
    public init(
        id: EventID,
        source: String,
        type: String,
        subject: String,
        time: Instant,
        trace: TraceContext,
        causation: EventID,
        correlation: String,
        data: [UInt8]
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.trace = trace
        self.causation = causation
        self.correlation = correlation
        self.data = data
    }
}

extension EventEnvelope {
    /// Appends the event's binary form.
    @inlinable
    public func encode(into writer: inout WireWriter) {
        self.encodeAttributes(into: &writer)
        writer.counted(self.data)
    }

    /// Appends everything but the data, which must follow, counted.
    @inlinable
    func encodeAttributes(into writer: inout WireWriter) {
        let head = (
            self.id.high.littleEndian, self.id.low.littleEndian,
            self.causation.high.littleEndian, self.causation.low.littleEndian,
            self.trace.traceHigh.littleEndian, self.trace.traceLow.littleEndian,
            self.trace.span.littleEndian, self.time.nanoseconds.littleEndian
        )
        withUnsafeBytes(of: head) { writer.raw($0) }
        writer.text(self.subject)
        writer.text(self.source)
        writer.text(self.type)
        writer.text(self.correlation)
    }

    /// The event's binary form.
    @inlinable
    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.bytes.reserveCapacity(96 + self.data.count + self.subject.utf8.count * 2 + 48)
        self.encode(into: &writer)
        return writer.bytes
    }

    /// Reads an event from its binary form.
    ///
    /// - Throws: `WireError` where the bytes are cut short, go on, or hold no UTF-8.
    @inlinable
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var texts = EventTexts(keepsKinds: false)
        try self.init(decoding: bytes, like: &texts)
    }

    /// Reads an event from its binary form; its texts are those of `known` where they are equal,
    /// which then knows the others.
    @inlinable
    init(
        decoding bytes: UnsafeRawBufferPointer,
        like known: inout EventTexts
    ) throws(WireError) {
        var reader = WireReader(bytes)
        let id = EventID(high: try reader.u64(), low: try reader.u64())
        let causation = EventID(high: try reader.u64(), low: try reader.u64())
        let trace = TraceContext(
            traceHigh: try reader.u64(),
            traceLow: try reader.u64(),
            span: try reader.u64()
        )
        let time = Instant(nanoseconds: try reader.i64())
        try known.read(&reader)
        self.init(
            id: id,
            source: known.source,
            type: known.type,
            subject: known.subject,
            time: time,
            trace: trace,
            causation: causation,
            correlation: known.correlation,
            data: try reader.counted()
        )
        guard reader.isAtEnd else {
            throw WireError("\(reader.remaining) bytes follow the event")
        }
    }

    /// Reads an event from its binary form.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        let result: Result<EventEnvelope, WireError> = bytes.withUnsafeBytes { raw in
            Result { () throws(WireError) in try EventEnvelope(decoding: raw) }
        }
        self = try result.get()
    }
}

/// The texts of the last event of each topic: the next one's source and type are mostly the same.
struct KnownTexts: Sendable {
    /// More topics than this are not told apart.
    private static let topicCountMax = 1 << 10

    private var texts: [EventTexts] = []

    init() {}

    subscript(topic: Int) -> EventTexts {
        get {
            let place = topic % Self.topicCountMax
            return place < self.texts.count ? self.texts[place] : EventTexts()
        }
        _modify {
            let place = topic % Self.topicCountMax
            while self.texts.count <= place { self.texts.append(EventTexts()) }
            yield &self.texts[place]
        }
    }
}

/// The texts of an event; the next one is likely to have some of them, too.
@usableFromInline
struct EventTexts: Sendable {
    @usableFromInline private(set) var subject = ""
    @usableFromInline private(set) var source = ""
    @usableFromInline private(set) var type = ""
    @usableFromInline private(set) var correlation = ""
    private var kinds: [Kind] = []
    private let keepsKinds: Bool
    /// No topic has more types that come often.
    private static let kindCountMax = 8

    /// A source and a type, and how both are written.
    private struct Kind: Sendable {
        var bytes: [UInt8]
        var source: String
        var type: String
    }

    /// For the one event alone, nothing need be kept for the next.
    @usableFromInline
    init(keepsKinds: Bool = true) { self.keepsKinds = keepsKinds }

    /// Reads the texts of the next event; what is as before is not made anew.
    @usableFromInline
    mutating func read(_ reader: inout WireReader) throws(WireError) {
        try reader.text(like: &self.subject)
        try self.readKind(&reader)
        // Mostly the journey is named after what the event is about.
        self.correlation = try reader.skip(text: self.subject) ? self.subject : reader.text()
    }

    private mutating func readKind(_ reader: inout WireReader) throws(WireError) {
        for index in self.kinds.indices where reader.skip(self.kinds[index].bytes) {
            self.source = self.kinds[index].source
            self.type = self.kinds[index].type
            return
        }
        let start = reader.offset
        self.source = try reader.text()
        self.type = try reader.text()
        guard self.keepsKinds else { return }
        if self.kinds.count == Self.kindCountMax { self.kinds.removeFirst() }
        let bytes = [UInt8](reader.bytes[start..<reader.offset])
        self.kinds.append(Kind(bytes: bytes, source: self.source, type: self.type))
    }
}
