import Events
import Mesh
import OutsideParties

/// The bank took the price of each confirmed order once, and of no other order anything.
package final class MoneyAddsUp: Invariant {
    package let name = "money-adds-up"
    package let promise = "bank captures - refunds = confirmed orders, to the cent"
    package let hears: Hearing = []

    private struct Account {
        var captures = 0
        var captured = Money.zero
        var refunded = Money.zero
    }

    package init() {}

    package func finished(_ end: RunEnd) -> Finding {
        guard let bank = end.ledgers.bank else { return .unknown("the bank's ledger is missing") }
        var accounts: [String: Account] = [:]
        var captured = Money.zero
        var refunded = Money.zero
        for movement in bank.captures + bank.refunds {
            let order = Ledgers.reference(of: movement.key)
            guard end.book[OrderID(order)] != nil else {
                return .broken(
                    "the bank moved money for no order",
                    Witness("bank: \(movement.kind) of \(movement.amount) under '\(movement.key)'")
                )
            }
            if movement.kind == .capture {
                accounts[order, default: Account()].captures += 1
                accounts[order, default: Account()].captured += movement.amount
                captured += movement.amount
            } else {
                accounts[order, default: Account()].refunded += movement.amount
                refunded += movement.amount
            }
        }
        for entry in end.book.entries {
            let account = accounts[entry.id.rawValue] ?? Account()
            if let finding = Self.judge(entry, account) { return finding }
        }
        return .held("\(captured) - \(refunded) = \(captured - refunded)")
    }

    private static func judge(_ entry: OrderBook.Entry, _ account: Account) -> Finding? {
        let kept = account.captured - account.refunded
        var witness: Witness {
            Witness(
                "bank: \(entry.id) captured \(account.captured), refunded \(account.refunded)"
            )
        }
        if account.captures > 1 {
            return .broken(
                "\(entry.id) was charged \(account.captures) times",
                witness,
                entry.placedWitness
            )
        }
        switch entry.end {
        case .confirmed where kept != entry.total:
            return .broken(
                "\(entry.id) is confirmed for \(entry.total), the bank kept \(kept)",
                entry.endWitness,
                witness
            )

        case .cancelled where kept != .zero:
            return .broken(
                "\(entry.id) is cancelled, the bank kept \(kept)",
                entry.endWitness,
                witness
            )

        case .confirmed, .cancelled, nil: return nil
        }
    }
}
