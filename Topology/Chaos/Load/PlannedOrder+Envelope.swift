import Events
import Mesh

extension PlannedOrder {
    /// The event that places the order; its time is when the shopper meant to place it.
    package func envelope(source: String) -> EventEnvelope {
        let number = StableHash.of(self.order.order.rawValue)
        let id = EventID(
            high: StableHash.combine(number, StableHash.of(source)),
            low: StableHash.combine(StableHash.of(source), number)
        )
        return EventEnvelope(
            id: id,
            source: source,
            type: OrderPlaced.type,
            subject: self.order.subject,
            time: self.intended,
            trace: TraceContext(startedBy: id),
            causation: .none,
            correlation: self.order.order.rawValue,
            data: self.order.encoded()
        )
    }
}
