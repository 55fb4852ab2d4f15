import Events
import Mesh
import OutsideParties

/// What happened in a run, in numbers.
package struct RunCounts: Sendable, Hashable {
    package var ordersAccepted = 0
    package var ordersRefused = 0
    /// Orders of which the shoppers don't know whether the mesh has them.
    package var ordersUnknown = 0
    package var ordersPlaced = 0
    package var ordersConfirmed = 0
    package var ordersCancelled = 0
    package var moneyConfirmed = Money.zero
    /// Of the bank's ledger.
    package var moneyCaptured = Money.zero
    package var moneyRefunded = Money.zero
    package var unitsShipped = 0
    package var messages = 0
    package var records = 0
    package var events = 0
    package var turns = 0
    package var timersFired = 0
    package var deadLetters = 0

    package init() {}

    mutating func observe(_ record: RecordView) {
        self.records += 1
        switch record.body {
        case .turn:
            self.turns += 1
            self.events += record.events.count
        case .published: self.events += record.events.count
        case .timerFired: self.timersFired += 1
        case .deadLettered: self.deadLetters += 1
        case .opened, .assigned, .redriven, .rewound, .closed, .checkpoint: break
        }
    }

    mutating func close(book: OrderBook, ledgers: Ledgers) {
        self.ordersAccepted = ledgers.shoppers?.count(.accepted) ?? 0
        self.ordersRefused = ledgers.shoppers?.count(.refused) ?? 0
        self.ordersUnknown = ledgers.shoppers?.count(.unknown) ?? 0
        self.ordersPlaced = book.placedCount
        self.ordersConfirmed = book.confirmedCount
        self.ordersCancelled = book.cancelledCount
        self.moneyConfirmed = book.confirmedTotal
        self.unitsShipped = book.unitsShipped
        self.messages = ledgers.mail?.entries.count ?? 0
        self.moneyCaptured = ledgers.bank?.captured ?? .zero
        self.moneyRefunded = ledgers.bank?.refunded ?? .zero
    }

    /// The numbers as an object; money in cents.
    package var json: JSONValue {
        [
            "ordersAccepted": .int(Int64(self.ordersAccepted)),
            "ordersRefused": .int(Int64(self.ordersRefused)),
            "ordersUnknown": .int(Int64(self.ordersUnknown)),
            "ordersPlaced": .int(Int64(self.ordersPlaced)),
            "ordersConfirmed": .int(Int64(self.ordersConfirmed)),
            "ordersCancelled": .int(Int64(self.ordersCancelled)),
            "centsConfirmed": .int(self.moneyConfirmed.rawValue),
            "centsCaptured": .int(self.moneyCaptured.rawValue),
            "centsRefunded": .int(self.moneyRefunded.rawValue),
            "unitsShipped": .int(Int64(self.unitsShipped)),
            "messages": .int(Int64(self.messages)),
            "records": .int(Int64(self.records)),
            "events": .int(Int64(self.events)),
            "turns": .int(Int64(self.turns)),
            "timersFired": .int(Int64(self.timersFired)),
            "deadLetters": .int(Int64(self.deadLetters)),
        ]
    }
}
