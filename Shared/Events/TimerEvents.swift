public import Mesh

/// An order has waited too long for its stock: a timer of Orders.
public struct StockOverdue: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "orders.stock-overdue.v1"
    /// No topic: it comes from the service's own inbox.
    public static let topic = ""

    /// The order.
    public var order = OrderID()

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID) { self.order = order }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
    }
}

/// An order has waited too long for its payment: a timer of Orders.
public struct PaymentOverdue: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "orders.payment-overdue.v1"
    /// No topic: it comes from the service's own inbox.
    public static let topic = ""

    /// The order.
    public var order = OrderID()

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID) { self.order = order }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
    }
}

/// A delivery that Inventory ordered has arrived at the warehouse: a timer of Inventory.
public struct SupplyArrived: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "inventory.supply-arrived.v1"
    /// No topic: it comes from the service's own inbox.
    public static let topic = ""

    /// What was delivered, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(product: ProductID, quantity: Int) {
        self.product = product
        self.quantity = quantity
    }

    /// The ordering key: the product.
    public var subject: String { self.product.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
    }
}
