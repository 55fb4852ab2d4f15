public import Mesh

/// Orders asks to reserve stock for one line of an order.
public struct StockRequested: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.requested.v1"
    /// The topic that carries it.
    public static let topic = "stock.requests"

    /// The order.
    public var order = OrderID()
    /// Which line of the order, from 0.
    public var line = 0
    /// What is moved, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, line: Int, product: ProductID, quantity: Int) {
        self.order = order
        self.line = line
        self.product = product
        self.quantity = quantity
    }

    /// The ordering key: the product.
    public var subject: String { self.product.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("line", &self.line)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
    }
}

/// Orders gives reserved stock back: the compensation of a reservation.
public struct StockReleaseRequested: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.release-requested.v1"
    /// The topic that carries it.
    public static let topic = "stock.requests"

    /// The order.
    public var order = OrderID()
    /// Which line of the order, from 0.
    public var line = 0
    /// What is moved, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, line: Int, product: ProductID, quantity: Int) {
        self.order = order
        self.line = line
        self.product = product
        self.quantity = quantity
    }

    /// The ordering key: the product.
    public var subject: String { self.product.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("line", &self.line)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
    }
}

/// Orders lets reserved stock leave the warehouse.
public struct StockShipRequested: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.ship-requested.v1"
    /// The topic that carries it.
    public static let topic = "stock.requests"

    /// The order.
    public var order = OrderID()
    /// Which line of the order, from 0.
    public var line = 0
    /// What is moved, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, line: Int, product: ProductID, quantity: Int) {
        self.order = order
        self.line = line
        self.product = product
        self.quantity = quantity
    }

    /// The ordering key: the product.
    public var subject: String { self.product.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("line", &self.line)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
    }
}

/// Stock is set aside for one line of an order.
public struct StockReserved: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.reserved.v1"
    /// The topic that carries it.
    public static let topic = "stock.results"

    /// The order.
    public var order = OrderID()
    /// Which line of the order, from 0.
    public var line = 0
    /// What is moved, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, line: Int, product: ProductID, quantity: Int) {
        self.order = order
        self.line = line
        self.product = product
        self.quantity = quantity
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("line", &self.line)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
    }
}

/// There was not enough stock for one line of an order.
public struct StockRefused: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.refused.v1"
    /// The topic that carries it.
    public static let topic = "stock.results"

    /// The order.
    public var order = OrderID()
    /// Which line of the order, from 0.
    public var line = 0
    /// What is moved, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0
    /// How many could have been reserved.
    public var available = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, line: Int, product: ProductID, quantity: Int, available: Int) {
        self.order = order
        self.line = line
        self.product = product
        self.quantity = quantity
        self.available = available
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("line", &self.line)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
        try coder.field("available", &self.available)
    }
}

/// Reserved stock is available again.
public struct StockReleased: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.released.v1"
    /// The topic that carries it.
    public static let topic = "stock.results"

    /// The order.
    public var order = OrderID()
    /// Which line of the order, from 0.
    public var line = 0
    /// What is moved, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, line: Int, product: ProductID, quantity: Int) {
        self.order = order
        self.line = line
        self.product = product
        self.quantity = quantity
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("line", &self.line)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
    }
}

/// Reserved stock has left the warehouse.
public struct StockShipped: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.shipped.v1"
    /// The topic that carries it.
    public static let topic = "stock.results"

    /// The order.
    public var order = OrderID()
    /// Which line of the order, from 0.
    public var line = 0
    /// What is moved, and where it lies.
    public var product = ProductID()
    /// How many.
    public var quantity = 0

    /// Creates an empty event.
    public init() {}

    /// Creates the event of its fields.
    public init(order: OrderID, line: Int, product: ProductID, quantity: Int) {
        self.order = order
        self.line = line
        self.product = product
        self.quantity = quantity
    }

    /// The ordering key: the order.
    public var subject: String { self.order.rawValue }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("line", &self.line)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
    }
}

/// A delivery of a supplier has arrived.
public struct StockSupplied: Event, Hashable {
    /// The CloudEvents type.
    public static let type = "stock.supplied.v1"
    /// The topic that carries it.
    public static let topic = "stock.supplied"

    /// What is moved, and where it lies.
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
