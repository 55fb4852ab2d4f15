import Events
public import Mesh

/// An order on its way to one of its two ends.
///
/// Public only because it is part of a change, which the compiler reads anew for each world.
public struct OpenOrder: WireCodable, Hashable {
    /// What an open order waits for.
    public enum Phase: Int64, Sendable {
        /// What Inventory says about its lines.
        case awaitingStock = 1
        /// What Payments says about its total.
        case awaitingPayment = 2
    }

    /// What Inventory said about a line.
    public enum Answer: Int64, Sendable {
        /// Nothing yet.
        case none = 0
        /// Its quantity is set aside.
        case reserved = 1
        /// There is not enough.
        case refused = 2
    }

    /// A line and its answer.
    public struct Line: WireCodable, Hashable {
        var product = ProductID()
        var quantity = 0
        var answer = Answer.none

        /// Creates an empty line.
        public init() {}

        init(product: ProductID, quantity: Int) {
            self.product = product
            self.quantity = quantity
        }

        /// Codes the fields.
        public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
            try coder.field("product", &self.product)
            try coder.field("quantity", &self.quantity)
            try coder.field("answer", &self.answer)
        }
    }

    var order = OrderID()
    var customer = CustomerID()
    var total = Money()
    var phase = Phase.awaitingStock
    var lines: [Line] = []

    /// Creates an empty order.
    public init() {}

    init(placed event: OrderPlaced) {
        self.order = event.order
        self.customer = event.customer
        self.total = event.total
        self.lines = event.lines.map { Line(product: $0.product, quantity: $0.quantity) }
    }

    /// Codes the fields.
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
        try coder.field("customer", &self.customer)
        try coder.field("total", &self.total)
        try coder.field("phase", &self.phase)
        try coder.field("lines", &self.lines)
    }

    /// The numbers of the lines with that answer.
    func lines(answered answer: Answer) -> [Int] {
        self.lines.indices.filter { self.lines[$0].answer == answer }
    }
}
