public import Mesh

/// What one partition of Analytics knows of the sales: running totals since the first event.
///
/// All numbers cover the events of this partition only, so the last report of each partition,
/// added up, is the whole shop's.
public struct SalesReported: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "analytics.sales-reported.v1"
    /// The topic that carries it.
    public static let topic = "analytics.reported"

    /// The partition of Analytics that reports.
    public var partition = 0
    /// How many orders were placed.
    public var ordersPlaced = 0
    /// How many orders were confirmed.
    public var ordersConfirmed = 0
    /// How many orders were cancelled.
    public var ordersCancelled = 0
    /// How many payments were captured.
    public var paymentsCaptured = 0
    /// How many payments were declined.
    public var paymentsDeclined = 0
    /// How many refunds were answered, those of orders that were never charged included.
    public var paymentsRefunded = 0
    /// How many messages were sent.
    public var notificationsSent = 0
    /// The money of the captured payments.
    public var captured = Money()
    /// The money of the refunds.
    public var refunded = Money()
    /// The totals of the confirmed orders.
    public var confirmed = Money()
    /// The quantities in the lines of the placed orders.
    public var unitsOrdered = 0
    /// The quantities reserved.
    public var unitsReserved = 0
    /// The quantities refused.
    public var unitsRefused = 0
    /// The quantities released again.
    public var unitsReleased = 0
    /// The quantities shipped.
    public var unitsShipped = 0
    /// Why orders were cancelled, by reason in ascending order.
    public var reasons: [ReasonCount] = []
    /// The products of which most units were shipped, most first, then by id; at most ten.
    public var topProducts: [ProductUnits] = []
    /// The latest minutes of event time in which anything was sold, in ascending order.
    public var windows: [SalesWindow] = []
    /// All minutes before ``windows``, added up; its start is that of the earliest window kept.
    public var earlier = SalesWindow()

    /// Creates an empty report.
    public init() {}

    /// The ordering key: the partition.
    public var subject: String { "analytics/\(self.partition)" }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("partition", &self.partition)
        try coder.field("ordersPlaced", &self.ordersPlaced)
        try coder.field("ordersConfirmed", &self.ordersConfirmed)
        try coder.field("ordersCancelled", &self.ordersCancelled)
        try coder.field("paymentsCaptured", &self.paymentsCaptured)
        try coder.field("paymentsDeclined", &self.paymentsDeclined)
        try coder.field("paymentsRefunded", &self.paymentsRefunded)
        try coder.field("notificationsSent", &self.notificationsSent)
        try coder.field("captured", &self.captured)
        try coder.field("refunded", &self.refunded)
        try coder.field("confirmed", &self.confirmed)
        try coder.field("unitsOrdered", &self.unitsOrdered)
        try coder.field("unitsReserved", &self.unitsReserved)
        try coder.field("unitsRefused", &self.unitsRefused)
        try coder.field("unitsReleased", &self.unitsReleased)
        try coder.field("unitsShipped", &self.unitsShipped)
        try coder.field("reasons", &self.reasons)
        try coder.field("topProducts", &self.topProducts)
        try coder.field("windows", &self.windows)
        try coder.field("earlier", &self.earlier)
    }
}

/// How many orders were cancelled for one reason.
public struct ReasonCount: WireCodable, Hashable {
    /// The reason, as ``OrderCancelled`` states it.
    public var reason = ""
    /// How many orders.
    public var orders = 0

    /// Creates an empty count.
    public init() {}

    /// Creates a count.
    public init(reason: String, orders: Int) {
        self.reason = reason
        self.orders = orders
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("reason", &self.reason)
        try coder.field("orders", &self.orders)
    }
}

/// How many units of one product were shipped.
public struct ProductUnits: WireCodable, Hashable {
    /// The product.
    public var product = ProductID()
    /// How many units.
    public var units = 0

    /// Creates an empty count.
    public init() {}

    /// Creates a count.
    public init(product: ProductID, units: Int) {
        self.product = product
        self.units = units
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("product", &self.product)
        try coder.field("units", &self.units)
    }
}

/// What was sold in one minute of event time.
public struct SalesWindow: WireCodable, Hashable {
    /// The window's first instant; windows are one minute long.
    public var start = Instant.zero
    /// How many orders were placed in it.
    public var orders = 0
    /// The money captured in it.
    public var revenue = Money()

    /// Creates an empty window.
    public init() {}

    /// Creates a window.
    public init(start: Instant, orders: Int, revenue: Money) {
        self.start = start
        self.orders = orders
        self.revenue = revenue
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("start", &self.start)
        try coder.field("orders", &self.orders)
        try coder.field("revenue", &self.revenue)
    }
}
