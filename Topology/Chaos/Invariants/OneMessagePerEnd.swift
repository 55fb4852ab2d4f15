import Events
import Mesh
import OutsideParties

/// A customer hears once how an order ended, and nothing else.
package final class OneMessagePerEnd: Invariant {
    package let name = "one-message-per-end"
    package let promise = "exactly one message for each order's end, and none without one"
    package let hears: Hearing = [.records, .facts]
    package let kinds: [ShopEvent.Kind] = [.notified]

    private let service: Int?
    private var isRewound = false

    package init(layout: MeshLayout) {
        self.service = layout.serviceIndex("notifications")
    }

    package func recorded(_ record: RecordView) -> Finding? {
        // Who rewinds a service asks for its events again; the ledger still tells.
        if case .rewound(let service, _, _, _) = record.body, service == self.service {
            self.isRewound = true
        }
        return nil
    }

    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        guard case .notified(let event) = fact.event else { return nil }
        let entry = book.entries[fact.order]
        if fact.isRepeat, !self.isRewound {
            return .broken(
                "\(entry.id) was notified twice",
                entry.endWitness,
                fact.witness("'\(event.kind)' sent again for \(entry.id)")
            )
        }
        guard event.kind != entry.end?.rawValue else { return nil }
        return .broken(
            "\(entry.id) is \(entry.end?.rawValue ?? "in progress"), "
                + "the message says \(event.kind)",
            entry.endWitness,
            fact.witness("'\(event.kind)' sent for \(entry.id)")
        )
    }

    package func finished(_ end: RunEnd) -> Finding {
        guard let messages = end.ledgers.mail?.entries.map({ Ledgers.reference(of: $0.key) })
        else {
            return .unknown("the mail relay's ledger is missing")
        }
        var counts: [String: Int] = [:]
        for key in messages { counts[key, default: 0] += 1 }
        for entry in end.book.entries {
            guard let ending = entry.end else { continue }
            let key = "\(entry.id)-\(ending.rawValue)"
            let count = counts.removeValue(forKey: key) ?? 0
            guard count == 1 else {
                return .broken(
                    "\(entry.id) is \(ending.rawValue), \(counted(count, "message")) sent",
                    entry.endWitness,
                    Witness("mail: \(count) under '\(key)'")
                )
            }
        }
        if let stray = messages.first(where: { counts[$0] != nil }) {
            return .broken(
                "a message was sent that belongs to no order's end",
                Witness("mail: a message under '\(stray)'")
            )
        }
        return .held(counted(messages.count, "message"))
    }
}
