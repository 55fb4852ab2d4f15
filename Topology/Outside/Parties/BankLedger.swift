import Events
import Mesh

/// What the bank wrote down: the truth about all money.
package struct BankLedger: Sendable, Hashable {
    package static let fileName = "bank.ledger"

    /// What the bank did.
    package enum Kind: String, Sendable, CaseIterable {
        /// It took money.
        case capture
        /// It refused to take money.
        case decline
        /// It gave money back.
        case refund
        /// It gave up a key before any money was taken.
        case void
    }

    /// One line of the ledger.
    package struct Entry: WireCodable, Hashable {
        package var kind = Kind.capture
        /// The idempotency key: the order.
        package var key = ""
        package var amount = Money()
        package var receipt = ""
        package var time = Instant.zero

        package init() {}

        package init(kind: Kind, key: String, amount: Money, receipt: String, time: Instant) {
            self.kind = kind
            self.key = key
            self.amount = amount
            self.receipt = receipt
            self.time = time
        }

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
            try coder.field("kind", &self.kind)
            try coder.field("key", &self.key)
            try coder.field("amount", &self.amount)
            try coder.field("receipt", &self.receipt)
            try coder.field("time", &self.time)
        }
    }

    /// All entries, in the order in which they became durable.
    package let entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    /// Reads the ledger of a bank, also of one that was killed; an empty one where there is none.
    ///
    /// - Throws: ``LedgerError`` naming the line that is damaged.
    package init(reading disk: any Disk) throws(LedgerError) {
        let bytes = try LedgerFile.bytes(of: Self.fileName, on: disk)
        self.entries = try LedgerFile.read(bytes, of: Entry.self, from: Self.fileName).entries
    }

    /// The entries of captures.
    package var captures: [Entry] { self.entries.filter { $0.kind == .capture } }
    /// The entries of refunds.
    package var refunds: [Entry] { self.entries.filter { $0.kind == .refund } }
    /// All the money taken.
    package var captured: Money { Self.sum(self.captures) }
    /// All the money given back.
    package var refunded: Money { Self.sum(self.refunds) }
    /// What the shop has: captures less refunds.
    package var balance: Money { self.captured - self.refunded }

    private static func sum(_ entries: [Entry]) -> Money {
        entries.reduce(Money.zero) { $0 + $1.amount }
    }
}
