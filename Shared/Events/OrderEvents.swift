public import Mesh

/// A shopper placed an order.
public struct OrderPlaced: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "orders.placed.v1"
    /// The topic that carries it.
    public static let topic = "orders.placed"

    /// The order.
    public var order = OrderID()
    /// Who ordered.
    public var customer = CustomerID()
    /// What was ordered, in lines.
    public var lines: [OrderLine] = []
    /// The price of the whole order.
    public var total = Money()

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, customer: CustomerID, lines: [OrderLine], total: Money) {
        self.order = order
        self.customer = customer
        self.lines = lines
        self.total = total
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("customer", &self.customer)
        try coder.field("lines", &self.lines)
        try coder.field("total", &self.total)
    }
}

/// An order is paid and its stock is on its way: one of the two ends of an order.
public struct OrderConfirmed: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "orders.confirmed.v1"
    /// The topic that carries it.
    public static let topic = "orders.ended"

    /// The order.
    public var order = OrderID()
    /// Who ordered.
    public var customer = CustomerID()
    /// The price of the whole order.
    public var total = Money()
    /// The bank's receipt; empty where nothing was charged.
    public var receipt = ""

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, customer: CustomerID, total: Money, receipt: String) {
        self.order = order
        self.customer = customer
        self.total = total
        self.receipt = receipt
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("customer", &self.customer)
        try coder.field("total", &self.total)
        try coder.field("receipt", &self.receipt)
    }
}

/// An order will not be fulfilled: the other end of an order.
public struct OrderCancelled: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "orders.cancelled.v1"
    /// The topic that carries it.
    public static let topic = "orders.ended"

    /// The order.
    public var order = OrderID()
    /// Who ordered.
    public var customer = CustomerID()
    /// The price of the whole order.
    public var total = Money()
    /// Why, for a person to read.
    public var reason = ""

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, customer: CustomerID, total: Money, reason: String) {
        self.order = order
        self.customer = customer
        self.total = total
        self.reason = reason
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("customer", &self.customer)
        try coder.field("total", &self.total)
        try coder.field("reason", &self.reason)
    }
}
