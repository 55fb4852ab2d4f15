import Events
import Mesh

/// What the outside parties wrote down themselves; nil where a ledger is missing.
package struct Ledgers: Sendable {
    /// Money that the bank moved.
    package struct BankMovement: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable {
            case captured
            case refunded
        }

        package var key: String
        package var kind: Kind
        package var amount: Money

        package init(key: String, kind: Kind, amount: Money) {
            self.key = key
            self.kind = kind
            self.amount = amount
        }
    }

    package var shoppers: ShoppersLedger?
    package var bank: [BankMovement]?
    /// The keys of the messages that the mail relay sent.
    package var messages: [String]?

    package init(
        shoppers: ShoppersLedger? = nil,
        bank: [BankMovement]? = nil,
        messages: [String]? = nil
    ) {
        self.shoppers = shoppers
        self.bank = bank
        self.messages = messages
    }
}
