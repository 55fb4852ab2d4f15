import Mesh

/// How many orders are placed in a time, exactly: a whole number for each thousand seconds.
package struct OrderRate: Sendable, Hashable, CustomStringConvertible {
    /// The orders in a thousand seconds.
    package var perThousandSeconds: Int64

    /// Creates a rate of that many orders in a thousand seconds.
    package init(perThousandSeconds: Int64) {
        precondition(perThousandSeconds >= 0, "a rate is not negative")
        self.perThousandSeconds = min(perThousandSeconds, 1_000_000_000_000)
    }

    /// Creates a rate of that many orders a second.
    package init(perSecond: Int) {
        self.init(perThousandSeconds: Int64(clamping: perSecond) * 1000)
    }

    /// The rate with which nothing is ever placed.
    package static let zero = OrderRate(perThousandSeconds: 0)

    /// Returns the rate that is `factor` times as high.
    package static func * (rate: OrderRate, factor: Int) -> OrderRate {
        let (product, overflow) = rate.perThousandSeconds.multipliedReportingOverflow(
            by: Int64(factor)
        )
        return OrderRate(perThousandSeconds: overflow ? .max : product)
    }

    /// The rate as people write it: `12.5/s`.
    package var description: String {
        let whole = self.perThousandSeconds / 1000
        var fraction = String(1000 + self.perThousandSeconds % 1000).dropFirst()
        while fraction.last == "0" { fraction = fraction.dropLast() }
        return fraction.isEmpty ? "\(whole)/s" : "\(whole).\(fraction)/s"
    }
}
