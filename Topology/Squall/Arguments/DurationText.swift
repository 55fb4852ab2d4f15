/// Durations as a user types them.
enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Returns the duration that a text such as `500ms`, `1.5s` or `2m` names, or nil.
    static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = text.dropFirst(digits.count)
        guard let unit = Self.units.first(where: { $0.suffix == suffix })?.nanoseconds else {
            return nil
        }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int64(parts[0]), whole <= 1_000_000 else {
            return nil
        }
        var nanoseconds = whole * unit
        if parts.count == 2 {
            guard (1...6).contains(parts[1].count), let fraction = Int64(parts[1]) else {
                return nil
            }
            var scale: Int64 = 1
            for _ in parts[1] { scale *= 10 }
            nanoseconds += fraction * unit / scale
        }
        return .nanoseconds(nanoseconds)
    }
}
