import Mesh

/// A promise that every run is judged by.
///
/// Pure and incremental: it sees each record of the log once, in order, then the end of the run.
/// It judges from the log and the outside parties' ledgers only, never from what a service says
/// of itself. The first violation that it returns is the one that the verdict shows.
package protocol Invariant {
    /// The stable name, such as `orders-end-once`.
    var name: String { get }
    /// The promise in one sentence without a full stop.
    var promise: String { get }
    /// What it wants to be told; the rest is kept from it, to save time.
    var hears: Hearing { get }
    /// Takes in a record that is no turn; returns a violation that it proves.
    mutating func recorded(_ record: RecordView) -> Finding?
    /// Takes in a record that is a turn; returns a violation that it proves.
    mutating func committed(_ record: RecordView) -> Finding?
    /// Takes in one event of the shop, after its record; returns a violation that it proves.
    ///
    /// The book already includes the event.
    mutating func happened(_ fact: Fact, _ book: OrderBook) -> Finding?
    /// Judges the whole run; called once, and not where a violation was returned before.
    mutating func finished(_ end: RunEnd) -> Finding
}

extension Invariant {
    /// Ignores records.
    package mutating func recorded(_ record: RecordView) -> Finding? { nil }
    /// Ignores turns.
    package mutating func committed(_ record: RecordView) -> Finding? { nil }
    /// Ignores events.
    package mutating func happened(_ fact: Fact, _ book: OrderBook) -> Finding? { nil }
}

/// What an invariant wants to be told.
package struct Hearing: OptionSet, Sendable, Hashable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Records that are no turns.
    package static let records = Hearing(rawValue: 1)
    package static let turns = Hearing(rawValue: 2)
    /// Events of the shop.
    package static let facts = Hearing(rawValue: 4)
}

/// What there is to judge by when a run is over.
package struct RunEnd {
    package var layout: MeshLayout
    package var ledgers: Ledgers
    package var book: OrderBook
    /// The time of the last record.
    package var time: Instant
}

/// The order of every day in a sentence: `1 order`, `2 orders`.
func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
}
