import Events
public import Mesh

/// What Inventory keeps in its journal.
public struct StockChange: WireCodable, Hashable {
    enum Kind: Int64, Sendable {
        /// A product was seen for the first time.
        case stocked = 1
        case reserved = 2
        case refused = 3
        case released = 4
        case shipped = 5
        /// A delivery was ordered from the supplier.
        case supplyOrdered = 6
        case supplied = 7
    }

    var kind = Kind.stocked
    var product = ProductID()
    var quantity = 0
    var order = OrderID()
    var line = 0

    /// Creates an empty change.
    public init() {}

    init(
        _ kind: Kind,
        _ product: ProductID,
        quantity: Int = 0,
        order: OrderID = OrderID(),
        line: Int = 0
    ) {
        self.kind = kind
        self.product = product
        self.quantity = quantity
        self.order = order
        self.line = line
    }

    /// Codes the fields.
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("kind", &self.kind)
        try coder.field("product", &self.product)
        try coder.field("quantity", &self.quantity)
        switch self.kind {
        case .reserved, .refused, .released, .shipped:
            try coder.field("order", &self.order)
            try coder.field("line", &self.line)
        case .stocked, .supplyOrdered, .supplied: break
        }
    }
}
