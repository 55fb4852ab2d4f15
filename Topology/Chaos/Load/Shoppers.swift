import Events
import Mesh

/// Places orders at a rate, whether or not the shop keeps up: the open-loop load.
///
/// Each order has a slot of equal length (at a constant rate) and a random place in it, so that
/// any long span has exactly as many orders as the rate says. Everything follows from the plan,
/// the seed and the commands.
package struct Shoppers: Sendable {
    /// What must pass before an order is due: (orders in a thousand seconds) × nanoseconds.
    private static let unitsPerOrder: Int64 = 1_000_000_000_000

    private struct Commanded: Sendable {
        var times: Int
        var from: Instant
        var until: Instant
    }

    package let plan: LoadPlan
    package let start: Instant
    private let seed: UInt64
    private var jitter: SeededRandom
    private var rate: OrderRate
    private var commanded: Commanded?
    /// Up to where the rate has been summed up.
    private var cursor: Instant
    /// What is missing at the cursor before the next order is due.
    private var remaining: Int64
    private var jitterOfNext: Int64
    private var sequence: UInt64 = 0
    private var backlog: [PlannedOrder] = []
    private var ended = false

    package init(load plan: LoadPlan, seed: UInt64, start: Instant) {
        self.plan = plan
        self.start = start
        self.seed = seed
        self.jitter = SeededRandom(seed: seed).split("arrivals")
        self.rate = plan.rate
        self.cursor = start
        self.jitterOfNext = Int64(self.jitter.below(Int(Self.unitsPerOrder)))
        self.remaining = self.jitterOfNext
    }

    /// How many orders were handed out.
    package var orderCount: UInt64 { self.sequence - UInt64(self.backlog.count) }

    /// Whether no further order will come.
    package var isFinished: Bool { self.backlog.isEmpty && self.hasEnded(at: self.cursor) }

    /// When the next order is due; nil where none will come unless a command changes the rate.
    package var nextDue: Instant? {
        if let first = self.backlog.first { return first.intended }
        var copy = self
        return copy.advance(until: .distantFuture)
    }

    /// The rate at an instant, spikes and ramp included.
    package func rate(at time: Instant) -> OrderRate { self.segment(at: time).rate }

    /// Returns the orders due up to and at `now` that were not returned before.
    package mutating func due(now: Instant) -> [PlannedOrder] {
        self.settle(until: now)
        defer { self.backlog = [] }
        return self.backlog
    }

    /// Multiplies the rate for some time; replaces an earlier spike by command.
    package mutating func spike(times: Int, for length: Duration, now: Instant) {
        self.settle(until: now)
        self.commanded = Commanded(times: times, from: now, until: now + length)
    }

    /// Changes the rate for good; a ramp still going on rises to the new rate.
    package mutating func setRate(_ rate: OrderRate, now: Instant) {
        self.settle(until: now)
        self.rate = rate
    }

    /// Ends the load: nothing further becomes due.
    package mutating func stop(now: Instant) {
        self.settle(until: now)
        self.ended = true
    }

    private mutating func settle(until now: Instant) {
        while let time = self.advance(until: now) {
            self.backlog.append(self.place(at: time))
        }
    }

    private func hasEnded(at time: Instant) -> Bool {
        if self.ended { return true }
        if let most = self.plan.ordersMax, self.sequence >= UInt64(max(0, most)) { return true }
        if let duration = self.plan.duration, time >= self.start + duration { return true }
        return false
    }

    /// Moves the cursor to the next order, if there is one at or before `limit`, else to `limit`.
    private mutating func advance(until limit: Instant) -> Instant? {
        var limit = limit
        if let duration = self.plan.duration { limit = min(limit, self.start + duration) }
        while !self.hasEnded(at: self.cursor) {
            let (rate, until) = self.segment(at: self.cursor)
            let end = min(until, limit)
            if rate.perThousandSeconds > 0 {
                let per = rate.perThousandSeconds
                let wait = max(0, (self.remaining + per - 1) / per)
                let time = self.cursor + .nanoseconds(wait)
                if time <= end {
                    self.remaining -= wait * per
                    self.cursor = time
                    return time
                }
                // The order lies beyond `end`, so this product is below what remains.
                if end < .distantFuture {
                    self.remaining -= (end.nanoseconds - self.cursor.nanoseconds) * per
                }
            }
            if end <= self.cursor || end == .distantFuture { return nil }
            self.cursor = end
            if end == limit { return nil }
        }
        return nil
    }

    /// The rate at an instant, and until when it stays the same.
    private func segment(at time: Instant) -> (rate: OrderRate, until: Instant) {
        var rate = self.rate
        var until = Instant.distantFuture
        let rampEnd = self.start + self.plan.ramp
        if time < rampEnd {
            let step = max(1, self.plan.ramp.inNanoseconds / 100)
            let number = min(99, (time.nanoseconds - self.start.nanoseconds) / step)
            rate = OrderRate(perThousandSeconds: rate.perThousandSeconds * (number + 1) / 100)
            let stepEnd = self.start + .nanoseconds((number + 1) * step)
            until = number == 99 ? rampEnd : min(rampEnd, stepEnd)
        }
        if let spike = self.plan.spike {
            let from = self.start + spike.at
            let to = from + spike.length
            if time < from { until = min(until, from) }
            if time >= from, time < to {
                rate = rate * spike.times
                until = min(until, to)
            }
        }
        if let spike = self.commanded, time >= spike.from, time < spike.until {
            rate = rate * spike.times
            until = min(until, spike.until)
        }
        return (rate, until)
    }

    private mutating func place(at time: Instant) -> PlannedOrder {
        self.sequence += 1
        let jitter = Int64(self.jitter.below(Int(Self.unitsPerOrder)))
        self.remaining += Self.unitsPerOrder - self.jitterOfNext + jitter
        self.jitterOfNext = jitter
        return PlannedOrder(
            sequence: self.sequence,
            intended: time,
            order: self.order(self.sequence)
        )
    }

    /// The content of an order depends on the seed and its number, never on when it is placed.
    private func order(_ sequence: UInt64) -> OrderPlaced {
        var random = SeededRandom(seed: StableHash.combine(self.seed, sequence))
        let catalogue = self.plan.catalogue
        var lines: [OrderLine] = []
        var total = Money.zero
        for _ in 0...random.below(max(1, self.plan.linesMax)) {
            var number = random.below(catalogue.products)
            if let hot = self.plan.hotProducts, random.chance(hot.sharePercent, in: 100) {
                number = random.below(min(max(1, hot.count), catalogue.products))
            }
            let product = catalogue.product(number, in: random.below(catalogue.warehouses))
            let quantity = 1 + random.below(max(1, self.plan.quantityMax))
            let amount = Money(cents: catalogue.price(of: number).rawValue * Int64(quantity))
            lines.append(OrderLine(product: product, quantity: quantity, amount: amount))
            total += amount
        }
        return OrderPlaced(
            order: OrderID("order-\(sequence)"),
            customer: CustomerID("customer-\(1 + random.below(max(1, self.plan.customers)))"),
            lines: lines,
            total: total
        )
    }
}
