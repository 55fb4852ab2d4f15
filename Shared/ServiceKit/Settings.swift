public import Mesh

/// Reads a `settings` object of the topology file, and collects what is wrong with it.
///
/// ```swift
/// var settings = Settings(host.settings)
/// let timeout = settings.duration("stockTimeout", default: .seconds(60))
/// for problem in settings.problems() { host.log(.error, problem) }
/// ```
public struct Settings: Sendable {
    private let json: JSONValue
    private var known: [String] = []
    private var wrong: [String] = []

    /// Creates a reader of `json`, which should be an object.
    public init(_ json: JSONValue) {
        self.json = json
    }

    /// Returns a whole number within `range`, or `fallback` where there is no usable one.
    public mutating func count(
        _ name: String,
        default fallback: Int,
        in range: ClosedRange<Int> = 0...1_000_000_000_000
    ) -> Int {
        guard let found = self.take(name) else { return fallback }
        guard let number = found.int, range.contains(Int(number)) else {
            self.wrong.append(
                "settings.\(name): expected a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound), found \(found.text)"
            )
            return fallback
        }
        return Int(number)
    }

    /// Returns a duration such as `"200ms"`, or `fallback` where there is no usable one.
    public mutating func duration(_ name: String, default fallback: Duration) -> Duration {
        guard let found = self.take(name) else { return fallback }
        guard let text = found.string, let duration = Self.duration(text) else {
            self.wrong.append(
                "settings.\(name): expected a duration such as \"200ms\", \"3s\" or \"1m\", "
                    + "found \(found.text)"
            )
            return fallback
        }
        return duration
    }

    /// Returns a share in millionths, from a text such as `"5%"`; `fallback` where there is none.
    public mutating func millionths(_ name: String, default fallback: Int) -> Int {
        guard let found = self.take(name) else { return fallback }
        if found.int == 0 { return 0 }
        if let text = found.string, let share = Self.millionths(text) { return share }
        if let over = found["numerator"]?.int, let under = found["denominator"]?.int,
            under > 0, (0...under).contains(over), under <= 1_000_000
        {
            return Int(over * 1_000_000 / under)
        }
        self.wrong.append(
            "settings.\(name): expected a share such as \"5%\" or \"0.1%\", found \(found.text)"
        )
        return fallback
    }

    /// Takes note of settings that someone else reads.
    public mutating func ignore(_ names: [String]) {
        self.known += names
    }

    /// Returns what was wrong: values of the wrong type, and keys that nobody asked for.
    public func problems() -> [String] {
        guard case .object(let members) = self.json else {
            return ["settings: expected an object, found \(self.json.kind)"]
        }
        let unknown = members.map(\.name).filter { !self.known.contains($0) }
        let choice = self.known.sorted().joined(separator: ", ")
        return self.wrong + unknown.map { "settings.\($0): unknown key; there are \(choice)" }
    }

    private mutating func take(_ name: String) -> JSONValue? {
        self.known.append(name)
        return self.json[name]
    }

    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    private static func duration(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let suffix = text.dropFirst(digits.count)
        guard let number = Int64(digits),
            let unit = self.units.first(where: { $0.suffix == suffix })
        else { return nil }
        let (nanoseconds, overflow) = number.multipliedReportingOverflow(by: unit.nanoseconds)
        return overflow ? nil : .nanoseconds(nanoseconds)
    }

    private static func millionths(_ text: String) -> Int? {
        guard text.hasSuffix("%") else { return nil }
        let parts = text.dropLast().split(
            separator: ".",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard let whole = parts.first, let percent = Int(whole), (0...100).contains(percent),
            whole.first != "+"
        else { return nil }
        guard parts.count == 2 else { return percent * 10_000 }
        let fraction = parts[1]
        guard (1...4).contains(fraction.count), let rest = Int(fraction), rest >= 0,
            fraction.first != "+"
        else { return nil }
        var scaled = rest
        for _ in fraction.count..<4 { scaled *= 10 }
        let share = percent * 10_000 + scaled
        return share <= 1_000_000 ? share : nil
    }
}
