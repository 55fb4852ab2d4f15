import Mesh

/// What an outside party does, without its socket and its disk.
///
/// A request is answered in one step; what the answer promises is in the entries, which must be
/// durable before the answer leaves.
package protocol PartyMachine: Sendable {
    /// What the party's ledger keeps.
    associatedtype Entry: WireCodable
    /// The file of the ledger, such as `bank.ledger`.
    static var ledgerFile: String { get }

    /// Answers one request, given in its binary form.
    ///
    /// - Throws: `WireError` where the bytes are no request; nothing has changed then.
    mutating func answer(_ request: [UInt8], now: Instant) throws(WireError) -> PartyResult<Entry>

    /// Returns the line of an entry in the ledger: what ``LedgerFile`` makes of it.
    ///
    /// Asked of the machine, whose kind of entry the compiler knows.
    static func line(of entry: Entry) -> [UInt8]

    /// Takes over an entry of the ledger; called for each before the first request.
    mutating func recovered(_ entry: Entry)

    /// The party's totals, for people to read.
    var summary: JSONValue { get }
}

/// The answer to one request, and what must be durable before it leaves.
package struct PartyResult<Entry: WireCodable>: Sendable {
    /// The answer's binary form.
    package var answer: [UInt8]
    /// What the ledger is to keep; empty where nothing changed.
    package var entries: [Entry]

    package init(answer: [UInt8], entries: [Entry] = []) {
        self.answer = answer
        self.entries = entries
    }
}
