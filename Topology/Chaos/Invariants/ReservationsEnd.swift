import Events
import Mesh

/// What was set aside for an order leaves with it or goes back; nothing stays set aside.
package final class ReservationsEnd: Invariant {
    package let name = "reservations-end"
    package let promise = "reservations of ended orders are shipped or released, as they ended"
    package let hears: Hearing = .facts
    package let kinds: [ShopEvent.Kind] = [.stockShipped, .stockReleased]

    package init() {}

    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        switch fact.event {
        case .stockShipped(let event):
            let entry = book.entries[fact.order]
            guard entry.end == .cancelled || entry.shipped & entry.released != 0 else {
                return nil
            }
            return .broken(
                "\(event.product) was shipped for \(entry.id), which gave it up",
                entry.endWitness,
                fact.witness("line \(event.line) of \(entry.id) shipped")
            )

        case .stockReleased(let event):
            let entry = book.entries[fact.order]
            guard event.quantity != 0 else { return nil }
            guard entry.end == .confirmed || entry.shipped & entry.released != 0 else {
                return nil
            }
            return .broken(
                "\(event.product) was released from \(entry.id), which is confirmed",
                entry.endWitness,
                fact.witness("line \(event.line) of \(entry.id) released")
            )

        default: return nil
        }
    }

    package func finished(_ end: RunEnd) -> Finding {
        if end.book.hasUnjudgedLines {
            return .unknown("an order has more than 64 lines, which is more than are judged")
        }
        var reservations = 0
        for entry in end.book.entries {
            reservations += entry.reserved.nonzeroBitCount
            switch entry.end {
            case .confirmed where entry.shipped != entry.allLines:
                let missing = (entry.allLines & ~entry.shipped).nonzeroBitCount
                return .broken(
                    "\(entry.id) is confirmed, \(counted(missing, "line")) never shipped",
                    entry.endWitness
                )

            case .cancelled where entry.reserved & ~entry.released != 0:
                let kept = (entry.reserved & ~entry.released).nonzeroBitCount
                return .broken(
                    "\(entry.id) is cancelled, \(counted(kept, "line")) never released",
                    entry.endWitness
                )

            case .confirmed, .cancelled, nil: continue
            }
        }
        return .held(counted(reservations, "reservation"))
    }
}
