import Mesh

/// Judges a run from its log and the outside parties' ledgers: live, afterwards, or simulated.
///
/// Feed it every record once, in order; ``violation`` is set as soon as one is proved. Then call
/// ``finish(ledgers:)`` once.
package final class Judge {
    private let layout: MeshLayout
    private let invariants: [any Invariant]
    private var violations: [Finding?]
    private let recordHearers: [Int]
    /// Those who hear of a turn, by what is in it.
    private let turnHearers: [[Int]]
    /// Those who hear of a kind of fact.
    private let factHearers: [[Int]]
    private let book = OrderBook()
    private let deliveries: Deliveries
    private let isShop: Bool
    /// Reads the records that nobody else reads.
    private var reader = RecordReader()
    private var counts = RunCounts()
    private var lastTime = Instant.zero

    /// The first violation of any invariant.
    package private(set) var violation: (invariant: String, finding: Finding)?

    /// Creates a judge of runs with this layout.
    ///
    /// The shop's promises are judged where the layout has its topics; the stock that Inventory
    /// starts with is read from its `stockPerProduct` setting. Nothing is judged by the invariants
    /// whose names are in `exceptions`; `own` ones are added to the usual ones.
    package convenience init(
        layout: MeshLayout,
        except exceptions: Set<String> = [],
        adding own: [any Invariant] = []
    ) {
        let isShop = ["orders.placed", "orders.ended"].allSatisfy { layout.topicIndex($0) != nil }
        let shop = isShop ? Self.shopInvariants(layout) : []
        let all = shop + Self.meshInvariants(layout) + own
        self.init(
            layout: layout,
            invariants: all.filter { !exceptions.contains($0.name) },
            isShop: isShop
        )
    }

    /// The names of the invariants that it judges by.
    package var names: [String] { self.invariants.map(\.name) }

    /// Creates a judge by chosen invariants.
    ///
    /// Where `isShop` is false, the events are not read and only the mesh is judged.
    package init(layout: MeshLayout, invariants: [any Invariant], isShop: Bool = true) {
        self.isShop = isShop
        self.layout = layout
        self.invariants = invariants
        self.violations = [Finding?](repeating: nil, count: invariants.count)
        self.recordHearers = invariants.indices.filter { invariants[$0].hears.contains(.records) }
        let turns = invariants.map { $0.hears.intersection([.turns, .emitting, .timing]) }
        self.turnHearers = (0..<4).map { content in
            let heard = Hearing.turn(emits: content & 1 != 0, setsTimers: content & 2 != 0)
            return invariants.indices.filter { !turns[$0].isDisjoint(with: heard) }
        }
        self.factHearers = ShopEvent.Kind.allCases.map { kind in
            invariants.indices.filter {
                invariants[$0].hears.contains(.facts) && invariants[$0].kinds.contains(kind)
            }
        }
        self.deliveries = Deliveries(layout: layout)
    }

    /// What every mesh promises.
    package static func meshInvariants(_ layout: MeshLayout) -> [any Invariant] {
        [
            OffsetsUnbroken(layout: layout), EventIDsUnique(), EpochsAscend(layout: layout),
            DeliveriesOrdered(layout: layout), EverythingHandled(),
            NoDeadLetters(layout: layout), TimersFireOnce(layout: layout),
            SourcesDeclared(layout: layout),
        ]
    }

    /// What the shop promises.
    package static func shopInvariants(_ layout: MeshLayout) -> [any Invariant] {
        [
            OrdersEndOnce(), OrdersFromShoppers(), MoneyAddsUp(), PaidBeforeConfirmed(),
            StockConserved(initialStock: Self.initialStock(layout)), ReservationsEnd(),
            OneMessagePerEnd(layout: layout), AnalyticsAgree(layout: layout),
        ]
    }

    /// What Inventory has of each product when it first sees it.
    private static func initialStock(_ layout: MeshLayout) -> Int {
        let inventory = layout.serviceIndex("inventory").map { layout.services[$0] }
        return Int(inventory?.settings["stockPerProduct"]?.int ?? 1_000_000)
    }

    /// Takes in the next record, which was taken out of its log.
    package func observe(_ record: LogRecord) { self.observe(RecordView(record)) }

    /// Takes in the next record.
    package func observe(_ record: RecordView) {
        self.reader.read(record)
        self.observe(record, self.reader.contents)
    }

    /// Takes in the next record, of which a ``RecordReader`` has read what its events say.
    package func observe(_ record: RecordView, _ contents: [ShopEvent?]) {
        self.lastTime = max(self.lastTime, record.time)
        self.counts.observe(record)
        self.deliveries.observe(record)
        guard self.deliveries.odd.isEmpty else { return self.observe(odd: record, contents) }
        switch record.body {
        case .turn:
            for index in self.hearers(ofTurn: record) {
                guard let finding = self.invariants[index].committed(record) else { continue }
                self.note(finding, index)
            }
            self.observe(eventsOf: record, contents)

        case .published:
            self.observe(other: record)
            self.observe(eventsOf: record, contents)

        default: self.observe(other: record)
        }
    }

    /// Those who hear of a turn.
    private func hearers(ofTurn record: RecordView) -> [Int] {
        let emits = record.events.isEmpty ? 0 : 1
        let setsTimers =
            record.turn.timersSet.isEmpty && record.turn.timersCancelled.isEmpty ? 0 : 2
        return self.turnHearers[emits | setsTimers]
    }

    /// Takes in a record that is no turn.
    private func observe(other record: RecordView) {
        for index in self.recordHearers {
            guard let finding = self.invariants[index].recorded(record) else { continue }
            self.note(finding, index)
        }
    }

    /// Takes in a record with a delivery that is out of turn: every invariant in its place, so
    /// that the violation which is shown does not depend on what they hear.
    private func observe(odd record: RecordView, _ contents: [ShopEvent?]) {
        let isTurn = if case .turn = record.body { true } else { false }
        let hearers = isTurn ? self.hearers(ofTurn: record) : self.recordHearers
        for index in self.invariants.indices {
            let invariant = self.invariants[index]
            if invariant.hears.contains(.oddDeliveries) {
                for delivery in self.deliveries.odd {
                    if let finding = invariant.delivered(delivery) { self.note(finding, index) }
                }
            }
            guard hearers.contains(index) else { continue }
            let finding = isTurn ? invariant.committed(record) : invariant.recorded(record)
            if let finding { self.note(finding, index) }
        }
        switch record.body {
        case .turn, .published: self.observe(eventsOf: record, contents)
        default: break
        }
    }

    /// Judges the whole run.
    package func finish(ledgers: Ledgers) -> Verdict {
        let end = RunEnd(
            layout: self.layout,
            ledgers: ledgers,
            book: self.book,
            deliveries: self.deliveries,
            time: self.lastTime
        )
        var checks: [Verdict.Check] = []
        for index in self.invariants.indices {
            let finding = self.violations[index] ?? self.invariants[index].finished(end)
            checks.append(
                Verdict.Check(
                    name: self.invariants[index].name,
                    promise: self.invariants[index].promise,
                    finding: finding
                )
            )
        }
        self.counts.close(book: self.book, ledgers: ledgers)
        return Verdict(checks: checks, counts: self.counts, isVacuous: self.isVacuous(ledgers))
    }

    /// Nothing was tried, so nothing is proved.
    private func isVacuous(_ ledgers: Ledgers) -> Bool {
        guard self.isShop else { return self.counts.turns == 0 }
        return self.book.confirmedCount + self.book.cancelledCount == 0
    }

    private func observe(eventsOf record: RecordView, _ contents: [ShopEvent?]) {
        guard self.isShop else { return }
        for index in contents.indices {
            guard let content = contents[index] else { continue }
            let (order, isRepeat) = self.book.happened(content, at: record.position)
            self.observe(
                Fact(
                    position: record.position,
                    id: record.events[index].id,
                    partition: record.events[index].partition,
                    event: content,
                    order: order,
                    isRepeat: isRepeat
                )
            )
        }
    }

    private func observe(_ fact: Fact) {
        for index in self.factHearers[fact.event.kind.rawValue] {
            if let finding = self.invariants[index].happened(fact, self.book) {
                self.note(finding, index)
            }
        }
    }

    private func note(_ finding: Finding, _ index: Int) {
        if self.violations[index] == nil { self.violations[index] = finding }
        if self.violation == nil { self.violation = (self.invariants[index].name, finding) }
    }
}
