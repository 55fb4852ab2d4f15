import Events
import Mesh
import OutsideParties

/// What the shoppers sent, and what became of it as far as they were told.
package struct ShoppersLedger: Sendable, Hashable {
    package static let fileName = "shoppers.ledger"

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

        package init(
            sequence: UInt64,
            order: OrderID,
            intended: Instant,
            total: Money,
            quantity: Int,
            outcome: Outcome
        ) {
            self.sequence = sequence
            self.order = order
            self.intended = intended
            self.total = total
            self.quantity = quantity
            self.outcome = outcome
        }
    }

    /// The orders in the order of sending.
    package private(set) var entries: [Entry] = []
    private var places: [OrderID: Int] = [:]
    /// Orders that were never sent, because the disk had no room to write them down.
    package private(set) var turnedAwayCount = 0

    package init() {}

    /// Reads the ledger of a run; a last line that was cut short is left out.
    ///
    /// - Throws: `LedgerError` naming the file and the line that cannot be read.
    package init(reading disk: any Disk) throws(LedgerError) {
        let bytes = try LedgerFile.bytes(of: Self.fileName, on: disk)
        let lines = try LedgerFile.read(bytes, of: Line.self, from: Self.fileName).entries
        var sequences: [Int64: Int] = [:]
        var acceptedUpTo: UInt64 = 0
        for (number, line) in lines.enumerated() {
            switch line.kind {
            case .sent:
                sequences[line.sequence] = self.entries.count
                self.append(line.entry)

            case .accepted: acceptedUpTo = max(acceptedUpTo, UInt64(clamping: line.sequence))

            case .refused:
                guard let index = sequences[line.sequence] else {
                    throw LedgerError(
                        file: Self.fileName,
                        line: number + 1,
                        message: "order \(line.sequence) was refused but never sent"
                    )
                }
                self.entries[index].outcome = .refused

            case .turnedAway: self.turnedAwayCount += Int(line.count)
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

    /// Returns how many orders had an outcome; those that were never sent count as refused.
    package func count(_ outcome: Outcome) -> Int {
        self.entries.reduce(outcome == .refused ? self.turnedAwayCount : 0) {
            $0 + ($1.outcome == outcome ? 1 : 0)
        }
    }
}

extension ShoppersLedger {
    /// One line of the file.
    struct Line: WireCodable {
        enum Kind: String, Sendable {
            case sent
            case accepted
            case refused
            case turnedAway
        }

        var kind = Kind.sent
        var sequence: Int64 = 0
        var order = OrderID()
        var customer = CustomerID()
        var intended = Instant.zero
        var total = Money()
        var lines: [OrderLine] = []
        var reason = ""
        var count: Int64 = 0

        init() {}

        init(_ kind: Kind, _ sequence: UInt64) {
            self.kind = kind
            self.sequence = Int64(clamping: sequence)
        }

        init(turnedAway count: Int) {
            self.kind = .turnedAway
            self.count = Int64(count)
        }

        var entry: Entry {
            Entry(
                sequence: UInt64(clamping: self.sequence),
                order: self.order,
                intended: self.intended,
                total: self.total,
                quantity: self.lines.reduce(0) { $0 &+ $1.quantity },
                outcome: .unknown
            )
        }

        mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
            try coder.field("kind", &self.kind)
            try coder.field("sequence", &self.sequence)
            switch self.kind {
            case .sent:
                try coder.field("order", &self.order)
                try coder.field("customer", &self.customer)
                try coder.field("intended", &self.intended)
                try coder.field("total", &self.total)
                try coder.field("lines", &self.lines)
            case .accepted: break
            case .refused: try coder.field("reason", &self.reason)
            case .turnedAway: try coder.field("count", &self.count)
            }
        }
    }
}
