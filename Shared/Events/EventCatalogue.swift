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

    /// Returns the binary data and the subject of an event given as JSON, or nil where the type
    /// is not the shop's.
    ///
    /// - Throws: `WireError` where a field is missing, unknown or of another kind.
    package static func encode(
        type: String,
        json: JSONValue
    ) throws(WireError) -> (data: [UInt8], subject: String)? {
        guard let found = self.all.first(where: { $0.type == type }) else { return nil }
        return try Self.encode(found, json)
    }

    private static func encode<E: Event>(
        _ type: E.Type,
        _ json: JSONValue
    ) throws(WireError) -> (data: [UInt8], subject: String) {
        let event = try E(json: json)
        let given = json.object ?? []
        let wanted = event.json.object ?? []
        for field in wanted where !given.contains(where: { $0.name == field.name }) {
            throw WireError("field \(field.name): missing")
        }
        for field in given where !wanted.contains(where: { $0.name == field.name }) {
            throw WireError("field \(field.name): unknown")
        }
        return (event.encoded(), event.subject)
    }
}
