import Mesh

/// Counts durations in buckets that keep three significant digits, from a nanosecond to centuries.
///
/// An HDR histogram: each power of two has 1024 buckets, in a page that exists once something fell
/// into it, 4 KiB each. All arithmetic is in integers; a quantile is at most 0.1 % too high.
package struct Histogram: Sendable, Hashable {
    private var pages: [[UInt32]] = []
    /// How many durations were recorded.
    package private(set) var count: UInt64 = 0
    private var sum: UInt64 = 0
    private var largest: Int64 = 0
    private var smallest: Int64 = .max

    package init() {}

    /// Counts one duration; a negative one as zero.
    package mutating func record(_ duration: Duration) {
        self.record(nanoseconds: duration.inNanoseconds)
    }

    /// Counts one duration in nanoseconds; a negative one as zero.
    package mutating func record(nanoseconds: Int64) {
        let value = max(0, nanoseconds)
        self.add(1, at: Self.index(of: UInt64(value)))
        self.count += 1
        let (total, overflow) = self.sum.addingReportingOverflow(UInt64(value))
        self.sum = overflow ? .max : total
        self.largest = max(self.largest, value)
        self.smallest = min(self.smallest, value)
    }

    /// Adds everything that `other` counted.
    package mutating func merge(_ other: Histogram) {
        for (number, page) in other.pages.enumerated() {
            for (slot, count) in page.enumerated() where count > 0 {
                self.add(count, at: number << 10 | slot)
            }
        }
        self.count += other.count
        let (total, overflow) = self.sum.addingReportingOverflow(other.sum)
        self.sum = overflow ? .max : total
        self.largest = max(self.largest, other.largest)
        self.smallest = min(self.smallest, other.smallest)
    }

    /// Whether nothing was recorded.
    package var isEmpty: Bool { self.count == 0 }
    /// The longest duration recorded; zero where there is none.
    package var longest: Duration { .nanoseconds(self.largest) }
    /// The shortest duration recorded; zero where there is none.
    package var shortest: Duration { .nanoseconds(self.isEmpty ? 0 : self.smallest) }
    /// The sum divided by the count; zero where nothing was recorded.
    package var mean: Duration {
        self.isEmpty ? .zero : .nanoseconds(Int64(clamping: self.sum / self.count))
    }

    /// Half of the durations are at most this long.
    package var p50: Duration { self.quantile(50, of: 100) }
    /// 99 of 100 durations are at most this long.
    package var p99: Duration { self.quantile(99, of: 100) }
    /// 999 of 1000 durations are at most this long.
    package var p999: Duration { self.quantile(999, of: 1000) }

    /// Returns the duration that `numerator` of `denominator` recorded ones do not exceed.
    ///
    /// Zero where nothing was recorded.
    package func quantile(_ numerator: Int, of denominator: Int) -> Duration {
        precondition(numerator >= 0 && numerator <= denominator && denominator > 0)
        guard !self.isEmpty else { return .zero }
        let product = self.count.multipliedFullWidth(by: UInt64(numerator))
        let divided = UInt64(denominator).dividingFullWidth(product)
        let rank = max(1, divided.quotient + (divided.remainder > 0 ? 1 : 0))
        var seen: UInt64 = 0
        for (number, page) in self.pages.enumerated() {
            for (slot, count) in page.enumerated() where count > 0 {
                seen += UInt64(count)
                guard seen < rank else {
                    let highest = Self.highest(at: number << 10 | slot)
                    return .nanoseconds(min(self.largest, highest))
                }
            }
        }
        return .nanoseconds(self.largest)
    }

    /// The bytes that the counters occupy.
    package var footprint: Int { self.pages.reduce(0) { $0 + $1.count * 4 } }

    private mutating func add(_ count: UInt32, at index: Int) {
        let number = index >> 10
        while self.pages.count <= number { self.pages.append([]) }
        if self.pages[number].isEmpty { self.pages[number] = [UInt32](repeating: 0, count: 1024) }
        let (sum, overflow) = self.pages[number][index & 1023].addingReportingOverflow(count)
        self.pages[number][index & 1023] = overflow ? .max : sum
    }

    /// Values below 2048 have a bucket each; above, a bucket spans as many values as keep 11 bits.
    private static func index(of value: UInt64) -> Int {
        let shift = max(0, 53 - value.leadingZeroBitCount)
        return shift << 10 + Int(value >> UInt64(shift))
    }

    private static func highest(at index: Int) -> Int64 {
        guard index >= 2048 else { return Int64(index) }
        let shift = index >> 10 - 1
        let lowest = UInt64(index - shift << 10) << UInt64(shift)
        return Int64(clamping: lowest + (1 << UInt64(shift)) - 1)
    }
}
