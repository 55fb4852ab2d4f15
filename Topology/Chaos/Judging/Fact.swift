import Events
import Mesh

/// One event of the shop as the log has it, decoded once for all invariants.
package struct Fact: Sendable {
    /// The record that has it.
    package var position: UInt64
    package var id: EventID
    /// The partition of the topic that carries it.
    package var partition: Int
    package var event: ShopEvent
    /// The order's place in the ``OrderBook``; -1 where the event is about no order.
    package var order: Int
    /// Whether the book knew this already, so that the event changes nothing.
    package var isRepeat: Bool

    /// The fact as a witness that says `text`.
    package func witness(_ text: String) -> Witness {
        Witness(text, position: self.position, event: self.id)
    }
}

/// An event of the shop that invariants care for.
package enum ShopEvent: Sendable {
    case placed(OrderPlaced)
    case confirmed(OrderConfirmed)
    case cancelled(OrderCancelled)
    case stockReserved(StockReserved)
    case stockRefused(StockRefused)
    case stockReleased(StockReleased)
    case stockShipped(StockShipped)
    case stockSupplied(StockSupplied)
    case captured(PaymentCaptured)
    case declined(PaymentDeclined)
    case refunded(PaymentRefunded)
    case notified(NotificationSent)
    /// Much larger than the others, and rare.
    indirect case reported(SalesReported)

    /// The types of events that invariants care for.
    package enum Kind: Int, CaseIterable, Sendable {
        case placed, confirmed, cancelled
        case stockReserved, stockRefused, stockReleased, stockShipped, stockSupplied
        case captured, declined, refunded
        case notified, reported

        fileprivate init?(_ type: String) {
            switch type {
            case OrderPlaced.type: self = .placed
            case OrderConfirmed.type: self = .confirmed
            case OrderCancelled.type: self = .cancelled
            case StockReserved.type: self = .stockReserved
            case StockRefused.type: self = .stockRefused
            case StockReleased.type: self = .stockReleased
            case StockShipped.type: self = .stockShipped
            case StockSupplied.type: self = .stockSupplied
            case PaymentCaptured.type: self = .captured
            case PaymentDeclined.type: self = .declined
            case PaymentRefunded.type: self = .refunded
            case NotificationSent.type: self = .notified
            case SalesReported.type: self = .reported
            default: return nil
            }
        }
    }

    /// Decodes an event; nil where invariants don't care for its type, or its data is no such
    /// event: then no service can have handled it either.
    package init?(_ envelope: EventEnvelope) {
        guard let kind = Kind(envelope.type) else { return nil }
        guard let event = envelope.data.withUnsafeBytes({ Self(kind, $0) }) else { return nil }
        self = event
    }

    fileprivate init?(_ kind: Kind, _ data: UnsafeRawBufferPointer) {
        do throws(WireError) {
            switch kind {
            case .placed: self = .placed(try Self.decoded(data))
            case .confirmed: self = .confirmed(try Self.decoded(data))
            case .cancelled: self = .cancelled(try Self.decoded(data))
            case .stockReserved: self = .stockReserved(try Self.decoded(data))
            case .stockRefused: self = .stockRefused(try Self.decoded(data))
            case .stockReleased: self = .stockReleased(try Self.decoded(data))
            case .stockShipped: self = .stockShipped(try Self.decoded(data))
            case .stockSupplied: self = .stockSupplied(try Self.decoded(data))
            case .captured: self = .captured(try Self.decoded(data))
            case .declined: self = .declined(try Self.decoded(data))
            case .refunded: self = .refunded(try Self.decoded(data))
            case .notified: self = .notified(try Self.decoded(data))
            case .reported: self = .reported(try Self.decoded(data))
            }
        } catch {
            return nil
        }
    }

    private static func decoded<E: Event>(_ data: UnsafeRawBufferPointer) throws(WireError) -> E {
        var event = E()
        var decoder = BinaryDecoder(reader: WireReader(data))
        try event.fields(&decoder)
        return event
    }

    /// What kind of event it is.
    package var kind: Kind {
        switch self {
        case .placed: .placed
        case .confirmed: .confirmed
        case .cancelled: .cancelled
        case .stockReserved: .stockReserved
        case .stockRefused: .stockRefused
        case .stockReleased: .stockReleased
        case .stockShipped: .stockShipped
        case .stockSupplied: .stockSupplied
        case .captured: .captured
        case .declined: .declined
        case .refunded: .refunded
        case .notified: .notified
        case .reported: .reported
        }
    }

    /// The order that it is about.
    package var order: OrderID? {
        switch self {
        case .placed(let event): event.order
        case .confirmed(let event): event.order
        case .cancelled(let event): event.order
        case .stockReserved(let event): event.order
        case .stockReleased(let event): event.order
        case .stockShipped(let event): event.order
        case .stockRefused(let event): event.order
        case .declined(let event): event.order
        case .stockSupplied, .reported: nil
        case .captured(let event): event.order
        case .refunded(let event): event.order
        case .notified(let event): event.order
        }
    }
}

extension LogRecord {
    /// The events that the record added to topics of the topology or to an inbox.
    package var events: [RecordedEvent] {
        switch self.body {
        case .published(_, _, let events): events
        case .turn(let turn): turn.events
        case .timerFired(_, _, _, let event): [event]
        case .redriven(_, _, let event): [event]
        case .opened, .assigned, .deadLettered, .rewound, .closed, .checkpoint: []
        }
    }
}

/// Reads what the events of records say, once for all who take the records in.
package struct RecordReader: Sendable {
    /// More topics than this are not told apart.
    private static let topicCountMax = 1 << 10

    /// No topic has more types that come often.
    private static let kindCountMax = 8

    /// What each event of the record that was read last says, in their order; nil for what nobody
    /// judges.
    package private(set) var contents: [ShopEvent?] = []

    /// For each topic, types of events there, and what they are.
    private var known: [[(typeHash: UInt64, kind: ShopEvent.Kind?)]] = []

    package init() {}

    /// Reads the next record.
    package mutating func read(_ record: RecordView) {
        // One by one: they are few, and this costs less than to remove all.
        while !self.contents.isEmpty { self.contents.removeLast() }
        for event in record.events {
            guard let kind = self.kind(of: event, in: record) else {
                self.contents.append(nil)
                continue
            }
            self.contents.append(record.withData(of: event) { ShopEvent(kind, $0) })
        }
    }

    private mutating func kind(
        of event: RecordView.EventView,
        in record: RecordView
    ) -> ShopEvent.Kind? {
        let place = event.topic % Self.topicCountMax
        while self.known.count <= place { self.known.append([]) }
        for index in self.known[place].indices
        where self.known[place][index].typeHash == event.typeHash {
            return self.known[place][index].kind
        }
        let kind = ShopEvent.Kind(record.type(of: event))
        if self.known[place].count == Self.kindCountMax { self.known[place].removeFirst() }
        self.known[place].append((event.typeHash, kind))
        return kind
    }
}
