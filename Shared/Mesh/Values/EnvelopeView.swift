/// An event in its binary form, whose parts are found where they lie.
///
/// A byte of ``Flag``s, the id and the time; causation and trace as the flags say; subject, source,
/// type and, as the flags say, correlation, each counted; then the data, to the end.
package struct EnvelopeView {
    /// What stands in an event's binary form because nothing else tells it.
    enum Flag {
        /// The event was caused by another: that one's id follows the time.
        static let causation: UInt8 = 1
        /// The journey did not start with the event: its trace follows.
        static let trace: UInt8 = 2
        /// The business key is not the subject: it follows the type.
        static let correlation: UInt8 = 4
        static let all: UInt8 = 7
    }

    /// What flags, id and time take.
    static let headBytes = 25
    static let causationBytes = 16
    static let traceBytes = 24

    let head: EnvelopeHead
    package let subject: UnsafeRawBufferPointer
    package let source: UnsafeRawBufferPointer
    package let type: UnsafeRawBufferPointer
    let correlation: UnsafeRawBufferPointer
    let data: UnsafeRawBufferPointer

    /// Finds the parts of an event; the bytes must outlive the view.
    ///
    /// - Throws: `WireError` where they are cut short. Texts may hold anything; see ``check()``.
    package init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        let head = try EnvelopeHead(bytes)
        var reader = WireReader(bytes, offset: head.textsStart)
        self.subject = try reader.view()
        self.source = try reader.view()
        self.type = try reader.view()
        self.correlation =
            head.flags & Flag.correlation != 0 ? try reader.view() : self.subject
        self.head = head
        self.data = UnsafeRawBufferPointer(rebasing: bytes[reader.offset...])
    }

    /// Makes sure that this is an event that the hub may take.
    ///
    /// - Throws: `WireError` where a text is not UTF-8, or subject or type are empty.
    package func check() throws(WireError) {
        // Mostly one look tells, since the lengths between them are short too.
        guard
            self.texts.isASCII
                || Self.isText(self.subject) && Self.isText(self.source)
                    && Self.isText(self.type) && Self.isText(self.correlation)
        else { throw WireError("an event with an attribute that is not UTF-8") }
        guard !self.subject.isEmpty else { throw WireError("an event without a subject") }
        guard !self.type.isEmpty else { throw WireError("an event without a type") }
    }

    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.isASCII || String(validating: bytes, as: UTF8.self) != nil
    }

    /// The texts, each counted, as they follow each other.
    var texts: UnsafeRawBufferPointer {
        let end = self.head.bytes.count &- self.data.count
        return UnsafeRawBufferPointer(rebasing: self.head.bytes[self.head.textsStart..<end])
    }

    /// Whether another event has these very texts: then what was found of them holds for that one.
    func hasTexts(of event: UnsafeRawBufferPointer) -> Bool {
        event.count >= self.head.bytes.count &- self.data.count
            && event[0] == self.head.flags
            && self.texts.isPart(of: event, at: self.head.textsStart)
    }

    /// Whether the business key is the subject.
    var isAboutSubject: Bool { self.head.flags & Flag.correlation == 0 }

    /// The partition of the event among `count`.
    package func partition(among count: Int) -> Int {
        count == 1 ? 0 : Int(StableHash.of(self.subject) % UInt64(count))
    }

    /// The producer's name.
    package var sourceText: String { String(decoding: self.source, as: UTF8.self) }
    /// What kind of event it is.
    package var typeText: String { String(decoding: self.type, as: UTF8.self) }
    /// The ordering key.
    package var subjectText: String { String(decoding: self.subject, as: UTF8.self) }
}

/// What an event's binary form begins with.
struct EnvelopeHead {
    let bytes: UnsafeRawBufferPointer
    let flags: UInt8
    /// Where the texts begin; they may be cut short.
    let textsStart: Int

    /// Looks at the flags of an event; the bytes must outlive the head.
    init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count >= EnvelopeView.headBytes else {
            throw WireError("an event of \(bytes.count) bytes")
        }
        let flags = bytes[0]
        guard flags & ~EnvelopeView.Flag.all == 0 else {
            throw WireError("an event with flags \(flags), which this version does not know")
        }
        var start = EnvelopeView.headBytes
        if flags & EnvelopeView.Flag.causation != 0 { start &+= EnvelopeView.causationBytes }
        if flags & EnvelopeView.Flag.trace != 0 { start &+= EnvelopeView.traceBytes }
        self.bytes = bytes
        self.flags = flags
        self.textsStart = start
    }

    private func word(at offset: Int) -> UInt64 {
        self.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
    }

    var id: EventID { EventID(high: self.word(at: 1), low: self.word(at: 9)) }

    var time: Instant { Instant(nanoseconds: Int64(bitPattern: self.word(at: 17))) }

    var causation: EventID {
        guard self.flags & EnvelopeView.Flag.causation != 0 else { return .none }
        return EventID(
            high: self.word(at: EnvelopeView.headBytes),
            low: self.word(at: EnvelopeView.headBytes &+ 8)
        )
    }

    var trace: TraceContext {
        guard self.flags & EnvelopeView.Flag.trace != 0 else {
            return TraceContext(startedBy: self.id)
        }
        let start = self.textsStart &- EnvelopeView.traceBytes
        return TraceContext(
            traceHigh: self.word(at: start),
            traceLow: self.word(at: start &+ 8),
            span: self.word(at: start &+ 16)
        )
    }
}
