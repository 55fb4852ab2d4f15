import Events
import Mesh

/// The live numbers of the shop.
package struct OrderNumbers: Sendable {
    package private(set) var placed = 0
    package private(set) var confirmed = 0
    package private(set) var cancelled = 0
    package private(set) var moneyCaptured = Money.zero
    package private(set) var moneyRefunded = Money.zero
    package private(set) var moneyConfirmed = Money.zero
    package private(set) var unitsShipped = 0
    package private(set) var messages = 0
    /// From the moment a shopper meant to place an order to the commit of its end.
    package private(set) var latency = Histogram()
    /// When the orders in progress were meant to be placed.
    private var open: [OrderID: Instant] = [:]

    init() {}

    /// How many orders are placed and have not ended.
    package var inProgress: Int { self.open.count }

    mutating func happened(_ event: ShopEvent, at time: Instant, committed: Instant?) {
        switch event {
        case .placed(let event):
            self.placed += 1
            self.open[event.order] = time

        case .confirmed(let event):
            self.confirmed += 1
            self.moneyConfirmed += event.total
            self.ended(event.order, committed)

        case .cancelled(let event):
            self.cancelled += 1
            self.ended(event.order, committed)

        case .captured(let event): self.moneyCaptured += event.amount
        case .refunded(let event): self.moneyRefunded += event.amount
        case .stockShipped(let event): self.unitsShipped &+= event.quantity
        case .notified: self.messages += 1
        case .stockReserved, .stockRefused, .stockReleased, .stockSupplied, .declined, .reported:
            break
        }
    }

    private mutating func ended(_ order: OrderID, _ time: Instant?) {
        guard let intended = self.open.removeValue(forKey: order) else { return }
        if let time { self.latency.record(time - intended) }
    }
}
