public import Mesh

/// The customer was told how an order ended.
public struct NotificationSent: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "notifications.sent.v1"
    /// The topic that carries it.
    public static let topic = "notifications.sent"

    /// The order.
    public var order = OrderID()
    /// Who ordered.
    public var customer = CustomerID()
    /// What the message said: `confirmed` or `cancelled`.
    public var kind = ""
    /// The mail relay's id of the message.
    public var message = ""

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, customer: CustomerID, kind: String, message: String) {
        self.order = order
        self.customer = customer
        self.kind = kind
        self.message = message
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("customer", &self.customer)
        try coder.field("kind", &self.kind)
        try coder.field("message", &self.message)
    }
}
