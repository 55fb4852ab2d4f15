import Events
import Mesh

/// Every order that a shopper was told is accepted ends, and ends once.
package final class OrdersEndOnce: Invariant {
    package let name = "orders-end-once"
    package let promise = "every accepted order ends exactly once"
    package let hears: Hearing = .facts
    package let kinds: [ShopEvent.Kind] = [.confirmed, .cancelled]

    package init() {}

    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        guard fact.isRepeat else { return nil }
        let ending: String
        switch fact.event {
        case .confirmed: ending = "confirmed"
        case .cancelled: ending = "cancelled"
        default: return nil
        }
        let entry = book.entries[fact.order]
        return .broken(
            "\(entry.id) ended twice",
            entry.endWitness,
            fact.witness("\(entry.id) \(ending) again")
        )
    }

    package func finished(_ end: RunEnd) -> Finding {
        guard let shoppers = end.ledgers.shoppers else {
            return .unknown("the shoppers' ledger is missing")
        }
        var lost: [Witness] = []
        var open: [Witness] = []
        var ended = 0
        for order in shoppers.entries where order.outcome == .accepted {
            guard let entry = end.book[order.order], entry.placements > 0 else {
                lost.append(Witness("\(order.order) accepted, sequence \(order.sequence)"))
                continue
            }
            if entry.end == nil { open.append(entry.placedWitness) } else { ended += 1 }
        }
        if let first = lost.first {
            return .broken("\(counted(lost.count, "accepted order")) not in the log", first)
        }
        if let first = open.first {
            return .broken("\(counted(open.count, "accepted order")) never ended", first)
        }
        return .held(counted(ended, "order"))
    }
}
