/// One attempt to hand an event to a service; a class, as it passes through many hands.
///
/// Nothing of it changes while anybody but the client that made it holds it.
package final class Delivery: @unchecked Sendable {
    package private(set) var topic: Int
    package private(set) var offset: UInt64
    /// 1 for the first attempt.
    package private(set) var attempt: Int
    /// The event, without its data while those are on loan.
    private var attributes: EventEnvelope
    /// The binary form of the event's texts, where it was read from one.
    private var texts = KnownTexts()
    /// The event's data where they lie in the frame that is being read: who is done with the
    /// delivery before the next one needs no copy of them.
    private var loan: UnsafeRawBufferPointer?

    package init(topic: Int, offset: UInt64, attempt: Int, event: EventEnvelope) {
        self.topic = topic
        self.offset = offset
        self.attempt = attempt
        self.attributes = event
    }

    package var event: EventEnvelope {
        self.keepData()
        return self.attributes
    }

    // Asking for one part is cheaper than asking for the event and looking into that.
    package var id: EventID { self.attributes.id }
    package var type: String { self.attributes.type }
    package var subject: String { self.attributes.subject }
    package var trace: TraceContext { self.attributes.trace }
    package var correlation: String { self.attributes.correlation }

    package var data: [UInt8] {
        self.keepData()
        return self.attributes.data
    }

    /// Passes the data of the event to `body`, valid during the call only; cheaper than to ask for
    /// the event.
    package func withData(
        _ body: (UnsafeRawBufferPointer) throws(WireError) -> Void
    ) throws(WireError) {
        if let loan = self.loan { return try body(loan) }
        let data = self.attributes.data
        try data.withBytes(data.indices, body)
    }

    /// Copies the data where they are on loan.
    func keepData() {
        guard let loan = self.loan else { return }
        self.loan = nil
        self.attributes.data = Array(loan)
    }

    package var place: Acknowledgement { Acknowledgement(topic: self.topic, offset: self.offset) }

    /// Becomes another delivery, where nobody else holds this one.
    fileprivate func become(
        _ topic: Int,
        _ offset: UInt64,
        _ attempt: Int,
        _ envelope: UnsafeRawBufferPointer,
        like recent: inout RecentTexts
    ) throws(WireError) {
        self.topic = topic
        self.offset = offset
        self.attempt = attempt
        self.loan = try self.attributes.become(envelope, texts: &self.texts, like: &recent)
    }
}

/// The deliveries that a client made last: most are done with before the next but one is made,
/// which then gets their memory.
struct RecentDeliveries: Sendable {
    private var last: Delivery?
    private var before: Delivery?

    /// Returns the delivery of an event that is read, its data on loan until ``endLoan()``; who
    /// keeps it without handing it out first has to copy them.
    mutating func delivery(
        _ topic: Int,
        _ offset: UInt64,
        _ attempt: Int,
        _ envelope: UnsafeRawBufferPointer,
        like recent: inout RecentTexts
    ) throws(WireError) -> Delivery {
        swap(&self.last, &self.before)
        if isKnownUniquelyReferenced(&self.last), let delivery = self.last {
            try delivery.become(topic, offset, attempt, envelope, like: &recent)
            return delivery
        }
        let event = try EventEnvelope(decoding: envelope, like: &recent)
        let delivery = Delivery(topic: topic, offset: offset, attempt: attempt, event: event)
        self.last = delivery
        return delivery
    }

    /// Copies the data of the last delivery where whoever it was handed to kept it: the next event
    /// is about to be read, or the frame is about to end.
    mutating func endLoan() {
        if !isKnownUniquelyReferenced(&self.last) { self.last?.keepData() }
    }
}

/// Tells deliveries that are new, expected again, or repeated by mistake.
struct Intake {
    private var next: UInt64
    /// The offsets below `next` that have not come yet, ascending: few ranges, however long.
    private var missing: [Range<UInt64>] = []
    /// Offsets that failed and will come again.
    private var awaited: Set<UInt64> = []

    init(floor: UInt64) {
        self.next = floor
    }

    mutating func accepts(_ offset: UInt64) -> Bool {
        if offset >= self.next {
            guard offset < .max else { return false }
            if offset > self.next { self.missing.append(self.next..<offset) }
            self.next = offset + 1
            return true
        }
        return self.takeMissing(offset) || self.awaited.remove(offset) != nil
    }

    private mutating func takeMissing(_ offset: UInt64) -> Bool {
        guard let index = self.missing.firstIndex(where: { $0.upperBound > offset }),
            self.missing[index].contains(offset)
        else { return false }
        let range = self.missing[index]
        let rest = [range.lowerBound..<offset, offset + 1..<range.upperBound]
        self.missing.replaceSubrange(index...index, with: rest.filter { !$0.isEmpty })
        return true
    }

    mutating func awaits(_ offset: UInt64) { self.awaited.insert(offset) }
}
