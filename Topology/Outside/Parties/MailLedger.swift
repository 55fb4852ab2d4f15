import Events
import Mesh

/// What the mail relay wrote down: every message that went out.
package struct MailLedger: Sendable, Hashable {
    package static let fileName = "mail.ledger"

    /// One line of the ledger.
    package struct Entry: WireCodable, Hashable {
        /// The idempotency key, such as `order-17-confirmed`.
        package var key = ""
        package var customer = CustomerID()
        package var text = ""
        package var message = ""
        package var time = Instant.zero

        package init() {}

        package init(
            key: String,
            customer: CustomerID,
            text: String,
            message: String,
            time: Instant
        ) {
            self.key = key
            self.customer = customer
            self.text = text
            self.message = message
            self.time = time
        }

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
            try coder.field("key", &self.key)
            try coder.field("customer", &self.customer)
            try coder.field("text", &self.text)
            try coder.field("message", &self.message)
            try coder.field("time", &self.time)
        }
    }

    /// All messages, in the order in which they became durable.
    package let entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    /// Reads the ledger of a mail relay, also of one that was killed; empty where there is none.
    ///
    /// - Throws: ``LedgerError`` naming the line that is damaged.
    package init(reading disk: any Disk) throws(LedgerError) {
        let bytes = try LedgerFile.bytes(of: Self.fileName, on: disk)
        self.entries = try LedgerFile.read(bytes, of: Entry.self, from: Self.fileName).entries
    }

    /// The messages by key; a key with several was sent more than once.
    package var messages: [String: [Entry]] {
        Dictionary(grouping: self.entries, by: \.key)
    }
}
