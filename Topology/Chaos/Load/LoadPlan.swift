import Mesh

/// What the shoppers do: how many orders, when, and of what.
package struct LoadPlan: Sendable, Hashable {
    /// A time in which the rate is a multiple of what it would be.
    package struct Spike: Sendable, Hashable {
        package var times: Int
        /// When it begins, counted from the start of the load.
        package var at: Duration
        /// How long it lasts.
        package var length: Duration

        package init(times: Int, at: Duration, for length: Duration) {
            self.times = times
            self.at = at
            self.length = length
        }
    }

    /// The few products that get a fixed share of all order lines.
    package struct HotProducts: Sendable, Hashable {
        /// How many of 100 lines.
        package var sharePercent: Int
        /// How many products; the first ones of the catalogue.
        package var count: Int

        package init(sharePercent: Int, count: Int) {
            self.sharePercent = sharePercent
            self.count = count
        }
    }

    /// The rate once the ramp is over.
    package var rate = OrderRate(perSecond: 10)
    /// How long the rate takes to rise from nothing, in a hundred equal steps.
    package var ramp = Duration.zero
    package var spike: Spike?
    /// How long orders are placed; nil for without end.
    package var duration: Duration?
    /// How many orders are placed; nil for without end.
    package var ordersMax: Int?
    package var catalogue = Catalogue()
    package var hotProducts: HotProducts?
    /// How many customers there are.
    package var customers = 1000
    /// The most lines that one order has; each order has 1 to this many.
    package var linesMax = 3
    /// The most pieces in one line.
    package var quantityMax = 3

    package init() {}
}
