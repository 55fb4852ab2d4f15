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
    case reported(SalesReported)

    /// Decodes an event; nil where invariants don't care for its type, or its data is no such
    /// event: then no service can have handled it either.
    package init?(_ envelope: EventEnvelope) {
        let data = envelope.data
        do throws(WireError) {
            switch envelope.type {
            case OrderPlaced.type: self = .placed(try OrderPlaced(decoding: data))
            case OrderConfirmed.type: self = .confirmed(try OrderConfirmed(decoding: data))
            case OrderCancelled.type: self = .cancelled(try OrderCancelled(decoding: data))
            case StockReserved.type: self = .stockReserved(try StockReserved(decoding: data))
            case StockRefused.type: self = .stockRefused(try StockRefused(decoding: data))
            case StockReleased.type: self = .stockReleased(try StockReleased(decoding: data))
            case StockShipped.type: self = .stockShipped(try StockShipped(decoding: data))
            case StockSupplied.type: self = .stockSupplied(try StockSupplied(decoding: data))
            case PaymentCaptured.type: self = .captured(try PaymentCaptured(decoding: data))
            case PaymentDeclined.type: self = .declined(try PaymentDeclined(decoding: data))
            case PaymentRefunded.type: self = .refunded(try PaymentRefunded(decoding: data))
            case NotificationSent.type: self = .notified(try NotificationSent(decoding: data))
            case SalesReported.type: self = .reported(try SalesReported(decoding: data))
            default: return nil
            }
        } catch {
            return nil
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

/// A record with what its events say, decoded once for all who take it in.
package struct ReadRecord: Sendable {
    package let record: LogRecord
    /// What each of the record's events says, in their order; nil for what nobody judges.
    package let contents: [ShopEvent?]

    package init(_ record: LogRecord) {
        self.record = record
        switch record.body {
        case .published(_, _, let events): self.contents = events.map { ShopEvent($0.event) }
        case .turn(let turn): self.contents = turn.events.map { ShopEvent($0.event) }
        case .timerFired(_, _, _, let event), .redriven(_, _, let event):
            self.contents = [ShopEvent(event.event)]
        case .opened, .assigned, .deadLettered, .rewound, .closed, .checkpoint:
            self.contents = []
        }
    }
}
