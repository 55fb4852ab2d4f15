import Mesh

/// A promise that every run is judged by.
///
/// Pure and incremental: it sees each record of the log once, in order, then the end of the run.
/// It judges from the log and the outside parties' ledgers only, never from what a service says
/// of itself. The first violation that it returns is the one that the verdict shows.
package protocol Invariant: AnyObject {
    /// The stable name, such as `orders-end-once`.
    var name: String { get }
    /// The promise in one sentence without a full stop.
    var promise: String { get }
    /// What it wants to be told; the rest is kept from it, to save time.
    var hears: Hearing { get }
    /// The kinds of facts that it wants to be told, where it hears facts; all unless it says so.
    var kinds: [ShopEvent.Kind] { get }
    /// Takes in a record that is no turn; returns a violation that it proves.
    func recorded(_ record: RecordView) -> Finding?
    /// Takes in a record that is a turn; returns a violation that it proves.
    func committed(_ record: RecordView) -> Finding?
    /// Takes in that a service is done with an event out of turn; returns a violation that this
    /// proves.
    func delivered(_ delivery: OddDelivery) -> Finding?
    /// Takes in one event of the shop, after its record; returns a violation that it proves.
    ///
    /// The book already includes the event.
    func happened(_ fact: Fact, _ book: OrderBook) -> Finding?
    /// Judges the whole run; called once, and not where a violation was returned before.
    func finished(_ end: RunEnd) -> Finding
}

extension Invariant {
    /// Ignores records.
    package func recorded(_ record: RecordView) -> Finding? { nil }
    /// Ignores turns.
    package func committed(_ record: RecordView) -> Finding? { nil }
    /// Hears of all kinds of facts.
    package var kinds: [ShopEvent.Kind] { ShopEvent.Kind.allCases }
    /// Ignores deliveries.
    package func delivered(_ delivery: OddDelivery) -> Finding? { nil }
    /// Ignores events.
    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? { nil }
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
    /// Turns that emit something.
    package static let emitting = Hearing(rawValue: 8)
    /// Turns that set a timer or cancel one.
    package static let timing = Hearing(rawValue: 16)
    /// What services are done with, where it isn't the next event of its subject, once.
    package static let oddDeliveries = Hearing(rawValue: 32)
    /// Events of the shop.
    package static let facts = Hearing(rawValue: 4)
}

extension Hearing {
    /// What is heard of a turn that has this in it.
    static func turn(emits: Bool, setsTimers: Bool) -> Hearing {
        var heard = Hearing.turns
        if emits { heard.insert(.emitting) }
        if setsTimers { heard.insert(.timing) }
        return heard
    }
}

/// What there is to judge by when a run is over.
package struct RunEnd {
    package var layout: MeshLayout
    package var ledgers: Ledgers
    package var book: OrderBook
    /// What the services are done with.
    package var deliveries: Deliveries
    /// The time of the last record.
    package var time: Instant
}

/// The order of every day in a sentence: `1 order`, `2 orders`.
func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
}
