import Mesh

/// At the end nothing waits: every consumer is done with every event, or gave it up.
package final class EverythingHandled: Invariant {
    package let name = "everything-handled"
    package let promise = "every event is handled by each consumer, or a dead letter"
    package let hears: Hearing = []

    package init() {}

    package func finished(_ end: RunEnd) -> Finding {
        var total = 0
        var witness: [Witness] = []
        for (index, window) in end.deliveries.windows.enumerated() {
            guard let first = window.firstUnhandled else { continue }
            total += window.unhandledCount
            let name = end.deliveries.name(index)
            witness.append(
                Witness("\(name): \(window.unhandledCount) waiting, the first at \(first)")
            )
        }
        if witness.isEmpty {
            return .held(counted(end.deliveries.count, "delivery", "deliveries"))
        }
        return Finding(
            .broken,
            "\(counted(total, "event")) never handled",
            witness: Array(witness.prefix(3))
        )
    }
}
