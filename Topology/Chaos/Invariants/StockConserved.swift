import Events
import Mesh

/// No product is promised or shipped more often than it is there.
package final class StockConserved: Invariant {
    package let name = "stock-conserved"
    package let promise = "stock is conserved and never negative"
    package let hears: Hearing = .facts
    package let kinds: [ShopEvent.Kind] = [
        .stockReserved, .stockReleased, .stockShipped, .stockSupplied,
    ]

    private struct Level {
        var onHand: Int
        var reserved = 0

        mutating func moved(_ reserved: Int, _ onHand: Int) -> Level {
            self.reserved += reserved
            self.onHand += onHand
            return self
        }
    }

    private struct Reservation {
        var product: ProductID
        var quantity: Int
        var position: UInt64
    }

    private let initialStock: Int
    private var levels: [ProductID: Level] = [:]
    /// What is set aside, by order and line.
    private var reservations: [UInt64: Reservation] = [:]
    private var moves = 0

    /// Creates the invariant for warehouses with that many of each product at the start.
    package init(initialStock: Int) {
        self.initialStock = initialStock
    }

    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        if fact.isRepeat { return nil }
        switch fact.event {
        case .stockReserved(let event):
            return self.reserved(event, fact, book)

        case .stockReleased(let event):
            guard event.quantity != 0, let key = Self.key(fact, event.line) else { return nil }
            let stock = self.take(key, event.product, event.quantity)
            guard stock else { return self.unreserved("released", fact, event.product, book) }
            self.move(event.product, reserved: -event.quantity)
            return nil

        case .stockShipped(let event):
            guard let key = Self.key(fact, event.line) else { return nil }
            let stock = self.take(key, event.product, event.quantity)
            guard stock else { return self.unreserved("shipped", fact, event.product, book) }
            self.move(event.product, reserved: -event.quantity, onHand: -event.quantity)
            return nil

        case .stockSupplied(let event):
            self.move(event.product, onHand: event.quantity)
            return nil

        default: return nil
        }
    }

    package func finished(_ end: RunEnd) -> Finding {
        if end.book.hasUnjudgedLines {
            return .unknown("an order has more than 64 lines, which is more than are judged")
        }
        return .held("\(counted(self.levels.count, "product")), \(counted(self.moves, "move"))")
    }

    private func reserved(
        _ event: StockReserved,
        _ fact: Fact,
        _ book: OrderBook
    ) -> Finding? {
        guard let key = Self.key(fact, event.line) else { return nil }
        let level = self.move(event.product, reserved: event.quantity)
        self.reservations[key] = Reservation(
            product: event.product,
            quantity: event.quantity,
            position: fact.position
        )
        guard level.reserved > level.onHand || event.quantity < 0 else { return nil }
        return .broken(
            "\(event.product) is oversold: \(level.reserved) reserved, \(level.onHand) there",
            fact.witness("\(event.quantity) reserved for \(event.order), line \(event.line)")
        )
    }

    /// Changes what is there of a product; returns what is there then.
    @discardableResult
    private func move(
        _ product: ProductID,
        reserved: Int = 0,
        onHand: Int = 0
    ) -> Level {
        self.moves += 1
        return self.levels[product, default: Level(onHand: self.initialStock)]
            .moved(reserved, onHand)
    }

    /// Takes a reservation away; returns whether there was this one.
    private func take(_ key: UInt64, _ product: ProductID, _ quantity: Int) -> Bool {
        guard let found = self.reservations.removeValue(forKey: key) else { return false }
        if found.product == product, found.quantity == quantity { return true }
        self.reservations[key] = found
        return false
    }

    private func unreserved(
        _ what: String,
        _ fact: Fact,
        _ product: ProductID,
        _ book: OrderBook
    ) -> Finding {
        let order = book.entries[fact.order].id
        return .broken(
            "\(product) was \(what) for \(order) without being reserved like that",
            fact.witness("\(what) for \(order)")
        )
    }

    private static func key(_ fact: Fact, _ line: Int) -> UInt64? {
        guard fact.order >= 0, line >= 0, line < 64 else { return nil }
        return UInt64(fact.order) << 6 | UInt64(line)
    }
}
