import Chaos
import Mesh
import Testing

@Suite struct HistogramTests {
    private func samples(_ count: Int, seed: UInt64) -> [Int64] {
        var random = SeededRandom(seed: seed)
        // Spread over many powers of two, as latencies are.
        return (0..<count).map { _ in Int64(random.next() >> UInt64(20 + random.below(40))) }
    }

    @Test(arguments: [1, 2, 3, 100, 10_000])
    func `a quantile is that of the sorted durations, at most a thousandth higher`(count: Int) {
        let values = self.samples(count, seed: UInt64(count)).sorted()
        var histogram = Histogram()
        for value in values { histogram.record(.nanoseconds(value)) }
        for (numerator, denominator) in [(0, 1), (1, 2), (9, 10), (99, 100), (999, 1000), (1, 1)] {
            let rank = max(1, (count * numerator + denominator - 1) / denominator)
            let exact = values[rank - 1]
            let found = histogram.quantile(numerator, of: denominator).inNanoseconds
            #expect(found >= exact)
            #expect(found - exact <= exact / 1000)
        }
        #expect(histogram.count == UInt64(count))
        #expect(histogram.longest == .nanoseconds(values[count - 1]))
        #expect(histogram.shortest == .nanoseconds(values[0]))
    }

    @Test func `small durations are exact`() {
        var histogram = Histogram()
        for value in 0..<2048 { histogram.record(.nanoseconds(value)) }
        for value in 0..<2048 {
            #expect(histogram.quantile(value + 1, of: 2048) == .nanoseconds(value))
        }
        #expect(histogram.mean == .nanoseconds(1023))
    }

    @Test func `merging gives what recording everything in one gives`() {
        let left = self.samples(1000, seed: 1)
        let right = self.samples(2000, seed: 2)
        var both = Histogram()
        var first = Histogram()
        var second = Histogram()
        for value in left {
            both.record(.nanoseconds(value))
            first.record(.nanoseconds(value))
        }
        for value in right {
            both.record(.nanoseconds(value))
            second.record(.nanoseconds(value))
        }
        first.merge(second)
        #expect(first.count == both.count)
        #expect(first.p50 == both.p50)
        #expect(first.p99 == both.p99)
        #expect(first.p999 == both.p999)
        #expect(first.mean == both.mean)
    }

    @Test func `an empty one answers zero, hours and negative durations are counted`() {
        var histogram = Histogram()
        #expect(histogram.p99 == .zero)
        #expect(histogram.mean == .zero)
        histogram.record(.seconds(-1))
        histogram.record(.seconds(100 * 3600))
        histogram.record(.nanoseconds(Int64.max))
        #expect(histogram.count == 3)
        #expect(histogram.shortest == .zero)
        #expect(histogram.longest == .nanoseconds(Int64.max))
    }

    @Test func `latencies from 10 microseconds to 10 milliseconds take at most 50 kilobytes`() {
        var random = SeededRandom(seed: 3)
        var histogram = Histogram()
        for _ in 0..<10_000 { histogram.record(.nanoseconds(10_000 + random.below(9_990_000))) }
        #expect(histogram.footprint <= 50_000)
    }
}
