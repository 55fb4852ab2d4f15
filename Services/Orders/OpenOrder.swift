import Events
import Mesh

/// An order on its way to one of its two ends.
struct OpenOrder: WireCodable, Hashable {
    /// What an open order waits for.
    enum Phase: Int64, Sendable {
        case awaitingStock = 1
        case awaitingPayment = 2
    }

    /// What Inventory said about a line.
    enum Answer: Int64, Sendable {
        case none = 0
        case reserved = 1
        case refused = 2
    }

    /// A line and its answer.
    struct Line: WireCodable, Hashable {
        var product = ProductID()
        var quantity = 0
        var answer = Answer.none

        init() {}

        init(product: ProductID, quantity: Int) {
            self.product = product
            self.quantity = quantity
        }

        mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
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

    init() {}

    init(placed event: OrderPlaced) {
        self.order = event.order
        self.customer = event.customer
        self.total = event.total
        self.lines = event.lines.map { Line(product: $0.product, quantity: $0.quantity) }
    }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
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
