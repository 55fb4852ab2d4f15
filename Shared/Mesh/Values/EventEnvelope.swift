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
    public func encode(into writer: inout WireWriter) {
        self.encodeAttributes(into: &writer)
        self.data.withUnsafeBytes { writer.raw($0) }
    }

    /// Appends the event's binary form, its data being the fields of `content` instead of its own.
    @inlinable
    public func encode(into writer: inout WireWriter, carrying content: some WireCodable) {
        self.encodeAttributes(into: &writer)
        writer.fields(of: content)
    }

    /// Appends the event's binary form, its data being the fields of `content`, which is read in
    /// its place and stays as it is.
    @inlinable
    public func encode(into writer: inout WireWriter, carrying content: inout some WireCodable) {
        self.encodeAttributes(into: &writer)
        writer.fields(of: &content)
    }

    /// Appends everything but the data, which must follow: see ``EnvelopeView``.
    @usableFromInline
    func encodeAttributes(into writer: inout WireWriter) {
        let hasCause = self.causation != .none
        let hasTrace = self.trace != TraceContext(startedBy: self.id)
        let hasCorrelation = self.correlation != self.subject
        let room =
            EnvelopeView.headBytes + EnvelopeView.causationBytes + EnvelopeView.traceBytes
            + 4 * WireWriter.varintBytesMax + self.subject.utf8.count
            + self.source.utf8.count + self.type.utf8.count + self.correlation.utf8.count
        writer.pieces(atMost: room) { pieces in
            pieces.u8(
                (hasCause ? EnvelopeView.Flag.causation : 0)
                    | (hasTrace ? EnvelopeView.Flag.trace : 0)
                    | (hasCorrelation ? EnvelopeView.Flag.correlation : 0)
            )
            pieces.u64(self.id.high)
            pieces.u64(self.id.low)
            pieces.u64(UInt64(bitPattern: self.time.nanoseconds))
            if hasCause {
                pieces.u64(self.causation.high)
                pieces.u64(self.causation.low)
            }
            if hasTrace {
                pieces.u64(self.trace.traceHigh)
                pieces.u64(self.trace.traceLow)
                pieces.u64(self.trace.span)
            }
            pieces.text(self.subject)
            pieces.text(self.source)
            pieces.text(self.type)
            if hasCorrelation { pieces.text(self.correlation) }
        }
    }

    /// The event's binary form.
    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.bytes.reserveCapacity(96 + self.data.count + self.subject.utf8.count * 2 + 48)
        self.encode(into: &writer)
        return writer.bytes
    }

    /// Reads an event from its binary form.
    ///
    /// - Throws: `WireError` where the bytes are cut short, or hold no UTF-8.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var recent = RecentTexts()
        try self.init(decoding: bytes, like: &recent)
    }

    /// Reads an event from its binary form; texts that are among the `recent` ones are those.
    init(
        decoding bytes: UnsafeRawBufferPointer,
        like recent: inout RecentTexts
    ) throws(WireError) {
        try self.init(EnvelopeView(bytes), like: &recent)
    }

    /// Copies an event out of its binary form; texts that are among the `recent` ones are those.
    init(_ view: EnvelopeView, like recent: inout RecentTexts) throws(WireError) {
        let subject = try recent.text(of: view.subject)
        self.init(
            id: view.id,
            source: try recent.text(of: view.source),
            type: try recent.text(of: view.type),
            subject: subject,
            time: view.time,
            trace: view.trace,
            causation: view.causation,
            correlation: view.isAboutSubject ? subject : try recent.text(of: view.correlation),
            data: Array(view.data)
        )
    }

    /// Becomes the event of `view` without its data; `texts` are the binary form of its own texts
    /// where they are known, and of the new ones afterwards.
    mutating func become(
        _ view: EnvelopeView,
        texts: inout [UInt8],
        like recent: inout RecentTexts
    ) throws(WireError) {
        let new = view.texts
        let areSame = texts.withUnsafeBufferPointer {
            $0.count == new.count && new.hasEqualBytes($0)
        }
        if !areSame {
            texts.removeAll(keepingCapacity: true)
            self.subject = try recent.text(of: view.subject)
            self.source = try recent.text(of: view.source)
            self.type = try recent.text(of: view.type)
            self.correlation =
                view.isAboutSubject ? self.subject : try recent.text(of: view.correlation)
            texts.append(contentsOf: new)
        }
        self.id = view.id
        self.time = view.time
        self.trace = view.trace
        self.causation = view.causation
        if !self.data.isEmpty { self.data = [] }
    }

    /// Reads an event from its binary form.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        let result: Result<EventEnvelope, WireError> = bytes.withUnsafeBytes { raw in
            Result { () throws(WireError) in try EventEnvelope(decoding: raw) }
        }
        self = try result.get()
    }
}

/// Texts that were read lately, so that one that comes again need not be made again.
///
/// Events come with the names of few services and types, and several are about one order.
struct RecentTexts: Sendable {
    private struct Entry: Sendable {
        /// The first eight bytes and the last eight, or all and none where there are no more.
        var first: UInt64 = 0
        var last: UInt64 = 0
        var text = ""
    }

    private static let placeBits: UInt64 = 8

    /// Each at a place that its bytes say; there are places from the first one on.
    private var entries: [Entry] = []
    private let keeps: Bool

    /// Creates a table that keeps nothing, unless it `keeps`.
    init(keeps: Bool = false) {
        self.keeps = keeps
    }

    /// Returns the text of some bytes; that they are not UTF-8 is an error.
    mutating func text(of bytes: UnsafeRawBufferPointer) throws(WireError) -> String {
        guard self.keeps else { return try self.newText(of: bytes) }
        let first = StableHash.word(of: bytes, at: 0, min(bytes.count, 8))
        let last =
            bytes.count > 8 ? StableHash.word(of: bytes, at: bytes.count &- 8, 8) : 0
        let mixed = (first ^ last &* 31) &* 0x9E37_79B9_7F4A_7C15
        let place = Int(mixed >> (64 &- Self.placeBits))
        if self.entries.isEmpty {
            self.entries = [Entry](repeating: Entry(), count: 1 << Self.placeBits)
        }
        if self.entries[place].first == first, self.entries[place].last == last {
            var known = self.entries[place].text
            if bytes.count <= 16 ? known.utf8.count == bytes.count : known.hasBytes(bytes) {
                return known
            }
        }
        let text = try self.newText(of: bytes)
        self.entries[place] = Entry(first: first, last: last, text: text)
        return text
    }

    private func newText(of bytes: UnsafeRawBufferPointer) throws(WireError) -> String {
        guard let text = String(ifUTF8: bytes) else {
            throw WireError("an attribute of an event is not UTF-8")
        }
        return text
    }
}
