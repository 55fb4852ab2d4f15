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
    /// its place and stays as it is; `names` are those of the event written before.
    @inlinable
    package func encode(
        into writer: inout WireWriter,
        like names: inout WrittenNames,
        carrying content: inout some WireCodable
    ) {
        self.encodeAttributes(into: &writer, like: &names)
        writer.fields(of: &content)
    }

    @usableFromInline
    func encodeAttributes(into writer: inout WireWriter) {
        let room = 2 * WireWriter.varintBytesMax + self.source.utf8.count + self.type.utf8.count
        self.encodeAttributes(into: &writer, namesOf: room) { pieces in
            pieces.text(self.source)
            pieces.text(self.type)
        }
    }

    @usableFromInline
    func encodeAttributes(into writer: inout WireWriter, like names: inout WrittenNames) {
        names.become(self.source, self.type)
        names.bytes.withUnsafeBytes { bytes in
            self.encodeAttributes(into: &writer, namesOf: bytes.count) { $0.raw(bytes) }
        }
    }

    /// Appends everything but the data, which must follow: see ``EnvelopeView``.
    @inline(__always)
    private func encodeAttributes(
        into writer: inout WireWriter,
        namesOf namesRoom: Int,
        _ putNames: (inout WirePieces) -> Void
    ) {
        let hasCause = self.causation != .none
        let hasTrace = self.trace != TraceContext(startedBy: self.id)
        let hasCorrelation = self.correlation != self.subject
        let room =
            EnvelopeView.headBytes + EnvelopeView.causationBytes + EnvelopeView.traceBytes
            + 2 * WireWriter.varintBytesMax + self.subject.utf8.count
            + namesRoom + self.correlation.utf8.count
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
            putNames(&pieces)
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
        let view = try EnvelopeView(bytes)
        let subject = try recent.text(of: view.subject)
        self.init(
            id: view.head.id,
            source: try recent.text(of: view.source),
            type: try recent.text(of: view.type),
            subject: subject,
            time: view.head.time,
            trace: view.head.trace,
            causation: view.head.causation,
            correlation: view.isAboutSubject ? subject : try recent.text(of: view.correlation),
            data: Array(view.data)
        )
    }

    /// Becomes the event of these bytes without its data, which are returned; `texts` are the
    /// binary form of its own texts where they are known, and of the new ones afterwards.
    mutating func become(
        _ bytes: UnsafeRawBufferPointer,
        texts: inout KnownTexts,
        like recent: inout RecentTexts
    ) throws(WireError) -> UnsafeRawBufferPointer {
        let head = try EnvelopeHead(bytes)
        var dataStart = head.textsStart &+ texts.bytes.count
        if texts.bytes.isEmpty || texts.flags != head.flags || dataStart > bytes.count
            || !texts.bytes.withUnsafeBytes({ $0.isPart(of: bytes, at: head.textsStart) })
        {
            let view = try EnvelopeView(bytes)
            texts.bytes.removeAll(keepingCapacity: true)
            self.subject = try recent.text(of: view.subject)
            self.source = try recent.text(of: view.source)
            self.type = try recent.text(of: view.type)
            self.correlation =
                view.isAboutSubject ? self.subject : try recent.text(of: view.correlation)
            texts.flags = head.flags
            texts.bytes.append(contentsOf: view.texts)
            dataStart = bytes.count &- view.data.count
        }
        self.id = head.id
        self.time = head.time
        self.trace = head.trace
        self.causation = head.causation
        if !self.data.isEmpty { self.data = [] }
        return UnsafeRawBufferPointer(rebasing: bytes[dataStart...])
    }

    /// Reads an event from its binary form.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        let result: Result<EventEnvelope, WireError> = bytes.withUnsafeBytes { raw in
            Result { () throws(WireError) in try EventEnvelope(decoding: raw) }
        }
        self = try result.get()
    }
}

/// The binary form of an event's source and type, which the next one mostly shares.
@usableFromInline
package struct WrittenNames: Sendable {
    private var source = ""
    private var type = ""
    fileprivate private(set) var bytes: [UInt8] = []

    package init() {}

    /// Becomes that of these names.
    fileprivate mutating func become(_ source: String, _ type: String) {
        guard self.bytes.isEmpty || self.type != type || self.source != source else { return }
        self.source = source
        self.type = type
        var writer = WireWriter()
        writer.text(source)
        writer.text(type)
        self.bytes = writer.bytes
    }
}

/// The binary form of an event's texts, by which others that have the same are known.
struct KnownTexts: Sendable {
    var flags: UInt8 = 0
    /// The texts, each counted; empty where they are not known.
    var bytes: [UInt8] = []
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
