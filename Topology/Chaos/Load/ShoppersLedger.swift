import Events
import Mesh

/// What the shoppers sent, and what became of it as far as they were told.
package struct ShoppersLedger: Sendable, Hashable {
    /// What a shopper knows of an order.
    package enum Outcome: String, Sendable, Hashable {
        /// The mesh has it.
        case accepted
        /// The mesh certainly does not have it.
        case refused
        /// No answer came: the mesh may have it.
        case unknown
    }

    /// One order.
    package struct Entry: Sendable, Hashable {
        package var sequence: UInt64
        package var order: OrderID
        package var intended: Instant
        package var total: Money
        /// The pieces of all lines together.
        package var quantity: Int
        package var outcome: Outcome
    }

    /// The orders in the order of sending.
    package private(set) var entries: [Entry] = []
    private var places: [OrderID: Int] = [:]

    package init() {}

    /// Reads the ledger of a run; a last line that was cut short is left out.
    ///
    /// - Throws: `LedgerError` naming the file and the line that cannot be read.
    package init(reading disk: any Disk) throws(LedgerError) {
        let file = ShoppersLedgerWriter.file
        var lines = try LedgerLines(disk: disk, file: file)
        var sequences: [UInt64: Int] = [:]
        var acceptedUpTo: UInt64 = 0
        while let line = try lines.next() {
            if let sequence = line["sent"]?.int {
                let entry = try Self.entry(line, UInt64(clamping: sequence), lines)
                sequences[entry.sequence] = self.entries.count
                self.append(entry)
            } else if let sequence = line["accepted"]?.int {
                acceptedUpTo = max(acceptedUpTo, UInt64(clamping: sequence))
            } else if let sequence = line["refused"]?.int {
                guard let index = sequences[UInt64(clamping: sequence)] else {
                    throw lines.error("order \(sequence) was refused but never sent")
                }
                self.entries[index].outcome = .refused
            } else {
                throw lines.error("the line is neither sent, accepted nor refused")
            }
        }
        for index in self.entries.indices
        where self.entries[index].outcome == .unknown
            && self.entries[index].sequence <= acceptedUpTo
        {
            self.entries[index].outcome = .accepted
        }
    }

    /// Adds an order; the last one of an id counts.
    package mutating func append(_ entry: Entry) {
        self.places[entry.order] = self.entries.count
        self.entries.append(entry)
    }

    /// Returns an order by its id.
    package subscript(order: OrderID) -> Entry? {
        self.places[order].map { self.entries[$0] }
    }

    /// Returns how many orders had an outcome.
    package func count(_ outcome: Outcome) -> Int {
        self.entries.reduce(0) { $0 + ($1.outcome == outcome ? 1 : 0) }
    }

    private static func entry(
        _ line: JSONValue,
        _ sequence: UInt64,
        _ lines: LedgerLines
    ) throws(LedgerError) -> Entry {
        guard let order = line["order"]?.string, let intended = line["intended"]?.int,
            let total = line["total"]?.int, let orderLines = line["lines"]?.array
        else { throw lines.error("an order has order, intended, total and lines") }
        var quantity = 0
        for orderLine in orderLines {
            guard let fields = orderLine.array, fields.count == 3, let count = fields[1].int else {
                throw lines.error("a line of an order is a list of product, quantity, cents")
            }
            quantity += Int(clamping: count)
        }
        return Entry(
            sequence: sequence,
            order: OrderID(order),
            intended: Instant(nanoseconds: intended),
            total: Money(cents: total),
            quantity: quantity,
            outcome: .unknown
        )
    }
}
