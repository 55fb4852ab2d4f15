import Events
import Mesh

/// One line of an order, which stock is reserved for.
struct OrderLineKey: Hashable, Comparable, Sendable {
    var order: OrderID
    var line: Int

    static func < (left: Self, right: Self) -> Bool {
        (left.order, left.line) < (right.order, right.line)
    }
}

/// The stock of one product in one warehouse.
struct Stock: Sendable, Hashable {
    /// What lies in the warehouse, the reserved units included.
    var onHand: Int
    /// What of it is set aside; the sum of ``reservations``.
    private(set) var reserved = 0
    private(set) var reservations: [OrderLineKey: Int] = [:]
    /// Whether a delivery is under way.
    var supplyUnderWay = false

    init(onHand: Int) {
        self.onHand = onHand
    }

    /// What can still be reserved.
    var available: Int { self.onHand - self.reserved }

    mutating func reserve(_ quantity: Int, for line: OrderLineKey) {
        self.reservations[line] = quantity
        self.reserved += quantity
    }

    /// Removes a reservation and returns its quantity.
    mutating func unreserve(_ line: OrderLineKey) -> Int {
        let quantity = self.reservations.removeValue(forKey: line) ?? 0
        self.reserved -= quantity
        return quantity
    }
}

/// The binary form of one product's stock.
struct StockSnapshot: WireCodable {
    /// The binary form of one reservation.
    struct Reservation: WireCodable {
        var order = OrderID()
        var line = 0
        var quantity = 0

        mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
            try coder.field("order", &self.order)
            try coder.field("line", &self.line)
            try coder.field("quantity", &self.quantity)
        }
    }

    var product = ProductID()
    var onHand = 0
    var supplyUnderWay = false
    var reservations: [Reservation] = []

    init() {}

    init(_ product: ProductID, _ stock: Stock) {
        self.product = product
        self.onHand = stock.onHand
        self.supplyUnderWay = stock.supplyUnderWay
        for line in stock.reservations.keys.sorted() {
            var reservation = Reservation()
            reservation.order = line.order
            reservation.line = line.line
            reservation.quantity = stock.reservations[line] ?? 0
            self.reservations.append(reservation)
        }
    }

    /// The stock that this is the form of.
    var stock: Stock {
        var stock = Stock(onHand: self.onHand)
        stock.supplyUnderWay = self.supplyUnderWay
        for reservation in self.reservations {
            stock.reserve(
                reservation.quantity,
                for: OrderLineKey(order: reservation.order, line: reservation.line)
            )
        }
        return stock
    }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("product", &self.product)
        try coder.field("onHand", &self.onHand)
        try coder.field("supplyUnderWay", &self.supplyUnderWay)
        try coder.field("reservations", &self.reservations)
    }
}
