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
        guard let text = found.string, let duration = Duration(text: text) else {
            self.wrong.append(
                "settings.\(name): expected a duration such as \"200ms\", \"3s\" or \"1m\", "
                    + "found \(found.text)"
            )
            return fallback
        }
        return duration
    }

    /// Returns a share such as `"5%"`, or `fallback` where there is no usable one.
    public mutating func ratio(_ name: String, default fallback: Ratio = .zero) -> Ratio {
        guard let found = self.take(name) else { return fallback }
        if let ratio = found.string.flatMap({ Ratio(text: $0) }) { return ratio }
        if let over = found["numerator"]?.int, let under = found["denominator"]?.int,
            let ratio = Ratio(over, under)
        {
            return ratio
        }
        self.wrong.append(
            "settings.\(name): expected a share such as \"5%\" or \"1/8\", found \(found.text)"
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
        let unknown = members.map(\.name).filter {
            !self.known.contains($0) && !CallPolicy.settings.contains($0)
        }
        guard !unknown.isEmpty else { return self.wrong }
        let choice = self.known.sorted().joined(separator: ", ")
        return self.wrong + unknown.map { "settings.\($0): unknown key; there are \(choice)" }
    }

    private mutating func take(_ name: String) -> JSONValue? {
        self.known.append(name)
        return self.json[name]
    }
}
