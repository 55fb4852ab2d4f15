import Events
import Mesh

/// Nothing is an order that no shopper placed, and none is another than the one placed.
package final class OrdersFromShoppers: Invariant {
    package let name = "orders-from-shoppers"
    package let promise = "no order exists that nobody placed"
    package let hears: Hearing = .facts

    package init() {}

    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        guard fact.order >= 0 else { return nil }
        switch fact.event {
        case .placed:
            guard fact.isRepeat else { return nil }
            let entry = book.entries[fact.order]
            return .broken(
                "\(entry.id) was placed twice",
                entry.placedWitness,
                fact.witness("\(entry.id) placed again")
            )

        case .reported, .stockSupplied: return nil

        default:
            let entry = book.entries[fact.order]
            guard entry.placements == 0 else { return nil }
            return .broken(
                "\(entry.id) was never placed",
                fact.witness("the first event about \(entry.id)")
            )
        }
    }

    package func finished(_ end: RunEnd) -> Finding {
        guard let shoppers = end.ledgers.shoppers else {
            return .unknown("the shoppers' ledger is missing")
        }
        for entry in end.book.entries where entry.placements > 0 {
            guard let order = shoppers[entry.id] else {
                return .broken("no shopper sent \(entry.id)", entry.placedWitness)
            }
            if order.outcome == .refused {
                return .broken(
                    "\(entry.id) was refused and is in the log all the same",
                    entry.placedWitness,
                    Witness("sequence \(order.sequence) in the shoppers' ledger: refused")
                )
            }
            if order.total != entry.total || order.quantity != entry.quantity {
                return .broken(
                    "\(entry.id) is not what was sent: \(entry.total), not \(order.total)",
                    entry.placedWitness,
                    Witness("sequence \(order.sequence) in the shoppers' ledger")
                )
            }
        }
        return .held(counted(end.book.placedCount, "order"))
    }
}
