/// A point in time, in nanoseconds since 1970-01-01 00:00:00 UTC.
///
/// The pure modules never read a clock: whoever feeds them an input says when it happened.
/// In the real world instants come from a clock that never goes back; in the simulated world
/// from virtual time.
public struct Instant: Sendable, Hashable, Comparable {
    /// The nanoseconds since 1970-01-01 00:00:00 UTC.
    public var nanoseconds: Int64

    /// The instant before which nothing happens.
    public static let zero = Instant(nanoseconds: 0)

    /// The instant that never comes.
    public static let distantFuture = Instant(nanoseconds: .max)

    /// Creates the instant that lies `nanoseconds` after 1970-01-01 00:00:00 UTC.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Returns whether `left` comes before `right`.
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Returns the instant `duration` after `instant`; saturates instead of overflowing.
    public static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.inNanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// Returns the time that passed from `earlier` to `later`; negative when they are swapped.
    public static func - (later: Instant, earlier: Instant) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }
}

extension Duration {
    /// The whole nanoseconds of this duration, saturated to 64 bits (about 292 years).
    public var inNanoseconds: Int64 {
        // Most are short, and the division is then one of 64 bits.
        if let short = Int64(exactly: self.attoseconds) { return short / 1_000_000_000 }
        return Int64(clamping: self.attoseconds / 1_000_000_000)
    }

    /// The duration in whole milliseconds, rounded towards zero.
    public var inMilliseconds: Int64 { self.inNanoseconds / 1_000_000 }
}
