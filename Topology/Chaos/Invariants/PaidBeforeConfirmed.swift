import Events
import Mesh

/// An order that costs something is confirmed only after its price was captured.
package final class PaidBeforeConfirmed: Invariant {
    package let name = "paid-before-confirmed"
    package let promise = "no order is confirmed before its price is captured"
    package let hears: Hearing = .facts
    package let kinds: [ShopEvent.Kind] = [.confirmed]
    private var count = 0

    package init() {}

    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        guard case .confirmed(let event) = fact.event else { return nil }
        let entry = book.entries[fact.order]
        if event.total != entry.total {
            return .broken(
                "\(entry.id) cost \(entry.total) and is confirmed for \(event.total)",
                entry.placedWitness,
                fact.witness("\(entry.id) confirmed")
            )
        }
        if (entry.captured ?? .zero) != entry.total {
            return .broken(
                "\(entry.id) is confirmed with \(entry.captured ?? .zero) "
                    + "of \(entry.total) captured",
                fact.witness("\(entry.id) confirmed")
            )
        }
        self.count += 1
        return nil
    }

    package func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.count, "order"))
    }
}
