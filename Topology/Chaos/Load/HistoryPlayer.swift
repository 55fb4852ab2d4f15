import Events
import Mesh

/// Places the orders of a history again, in their order, with time compressed.
package struct HistoryPlayer: Sendable {
    /// How fast a history is played.
    package enum Speed: Sendable, Hashable {
        /// That many recorded seconds in a second; the orders of a day are spread over it evenly.
        case times(Int)
        /// As fast as the window of unacknowledged orders allows.
        case max
    }

    package let history: History
    package let speed: Speed
    package let start: Instant
    private let catalogue: Catalogue
    private let windowMax: Int
    private let ordersMax: Int
    private var next = 0
    private var ended = false
    /// The first row of the day of the next row, and of the day after.
    private var dayRows = 0..<0

    package init(
        _ history: History,
        speed: Speed,
        catalogue: Catalogue,
        start: Instant,
        ordersMax: Int? = nil,
        windowMax: Int = 1024
    ) {
        if case .times(let factor) = speed { precondition(factor > 0, "a speed is at least 1") }
        self.history = history
        self.speed = speed
        self.catalogue = catalogue
        self.start = start
        self.windowMax = max(1, windowMax)
        self.ordersMax = min(ordersMax ?? .max, history.rows.count)
        self.findDay()
    }

    /// How many orders were handed out.
    package var orderCount: UInt64 { UInt64(self.next) }

    /// Whether no further order will come.
    package var isFinished: Bool { self.ended || self.next >= self.ordersMax }

    /// When the next order is due; nil after the last one.
    ///
    /// At `.max` speed every order is due at the start: what holds it back is the window.
    package var nextDue: Instant? { self.isFinished ? nil : self.intended }

    /// Returns the orders due up to and at `now` that were not returned before.
    ///
    /// `unacknowledged` is how many orders were sent and not yet accepted: at `.max` speed as many
    /// are returned as fill the window.
    package mutating func due(now: Instant, unacknowledged: Int = 0) -> [PlannedOrder] {
        var orders: [PlannedOrder] = []
        while !self.isFinished, self.intended <= now {
            if self.speed == .max, unacknowledged + orders.count >= self.windowMax { break }
            let row = self.history.rows[self.next]
            let intended = self.speed == .max ? now : self.intended
            self.next += 1
            orders.append(
                PlannedOrder(
                    sequence: UInt64(self.next),
                    intended: intended,
                    order: self.history.order(row, catalogue: self.catalogue)
                )
            )
            if self.next >= self.dayRows.upperBound { self.findDay() }
        }
        return orders
    }

    /// Ends the load: nothing further becomes due.
    package mutating func stop() { self.ended = true }

    private var intended: Instant {
        guard case .times(let factor) = self.speed else { return self.start }
        let rows = self.history.rows
        let dayNanoseconds: Int64 = 86_400_000_000_000
        let days = Int64(rows[self.next].day - rows[0].day)
        let place = Int64(self.next - self.dayRows.lowerBound)
        let recorded = days * dayNanoseconds + dayNanoseconds / Int64(self.dayRows.count) * place
        return self.start + .nanoseconds(recorded / Int64(factor))
    }

    private mutating func findDay() {
        let rows = self.history.rows
        guard self.next < rows.count else { return }
        var end = self.next + 1
        while end < rows.count, rows[end].day == rows[self.next].day { end += 1 }
        self.dayRows = self.next..<end
    }
}
