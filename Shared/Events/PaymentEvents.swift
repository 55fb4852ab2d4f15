public import Mesh

/// Orders asks to charge an order.
public struct PaymentRequested: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "payments.requested.v1"
    /// The topic that carries it.
    public static let topic = "payments.requests"

    /// The order.
    public var order = OrderID()
    /// Who ordered.
    public var customer = CustomerID()
    /// How much money.
    public var amount = Money()

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, customer: CustomerID, amount: Money) {
        self.order = order
        self.customer = customer
        self.amount = amount
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("customer", &self.customer)
        try coder.field("amount", &self.amount)
    }
}

/// Orders asks to give back what an order was charged, or to see that it never is.
public struct RefundRequested: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "payments.refund-requested.v1"
    /// The topic that carries it.
    public static let topic = "payments.requests"

    /// The order.
    public var order = OrderID()
    /// How much money.
    public var amount = Money()
    /// Why, for a person to read.
    public var reason = ""

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, amount: Money, reason: String) {
        self.order = order
        self.amount = amount
        self.reason = reason
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("amount", &self.amount)
        try coder.field("reason", &self.reason)
    }
}

/// The bank charged an order.
public struct PaymentCaptured: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "payments.captured.v1"
    /// The topic that carries it.
    public static let topic = "payments.results"

    /// The order.
    public var order = OrderID()
    /// How much money.
    public var amount = Money()
    /// The bank's receipt; empty where nothing was charged.
    public var receipt = ""

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, amount: Money, receipt: String) {
        self.order = order
        self.amount = amount
        self.receipt = receipt
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("amount", &self.amount)
        try coder.field("receipt", &self.receipt)
    }
}

/// The bank will not charge an order.
public struct PaymentDeclined: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "payments.declined.v1"
    /// The topic that carries it.
    public static let topic = "payments.results"

    /// The order.
    public var order = OrderID()
    /// How much money.
    public var amount = Money()
    /// Why, for a person to read.
    public var reason = ""

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, amount: Money, reason: String) {
        self.order = order
        self.amount = amount
        self.reason = reason
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("amount", &self.amount)
        try coder.field("reason", &self.reason)
    }
}

/// What an order was charged is given back; zero where it never was charged.
public struct PaymentRefunded: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "payments.refunded.v1"
    /// The topic that carries it.
    public static let topic = "payments.results"

    /// The order.
    public var order = OrderID()
    /// How much money.
    public var amount = Money()

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, amount: Money) {
        self.order = order
        self.amount = amount
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("amount", &self.amount)
    }
}
