public import Mesh

/// Every event type of the shop, for tools that show events without handling them.
public enum EventCatalogue {
    /// All event types, those of timers included.
    public static let all: [any Event.Type] = [
        OrderPlaced.self,
        OrderConfirmed.self,
        OrderCancelled.self,
        StockRequested.self,
        StockReleaseRequested.self,
        StockShipRequested.self,
        StockReserved.self,
        StockRefused.self,
        StockReleased.self,
        StockShipped.self,
        StockSupplied.self,
        PaymentRequested.self,
        RefundRequested.self,
        PaymentCaptured.self,
        PaymentDeclined.self,
        PaymentRefunded.self,
        NotificationSent.self,
        SalesReported.self,
        StockOverdue.self,
        PaymentOverdue.self,
        SupplyArrived.self,
    ]

    /// Returns an event's data as JSON, or nil where the type is not the shop's.
    ///
    /// - Throws: `WireError` where the data is not what the type says.
    public static func json(type: String, data: [UInt8]) throws(WireError) -> JSONValue? {
        guard let found = self.all.first(where: { $0.type == type }) else { return nil }
        return try Self.json(found, data)
    }

    private static func json<E: Event>(
        _ type: E.Type,
        _ data: [UInt8]
    ) throws(WireError) -> JSONValue {
        try E(decoding: data).json
    }
}
