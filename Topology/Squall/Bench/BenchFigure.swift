import Mesh

/// One thing that the bench measured, round by round.
struct BenchFigure: Sendable, Hashable {
    var name: String
    var unit: String
    /// Whether more of it is better.
    var rises: Bool
    var values: [Double] = []

    /// What less of a change than this says nothing about, whatever the rounds agreed on.
    private static let noiseMin = 0.10

    var sorted: [Double] { self.values.sorted() }
    var median: Double {
        let sorted = self.sorted
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
    /// How far the rounds are apart, as a share of the median.
    var spread: Double {
        guard let first = self.sorted.first, let last = self.sorted.last, self.median > 0 else {
            return 0
        }
        return (last - first) / self.median
    }

    /// Returns by which share this is worse than `baseline`; nil where that may be noise.
    func regression(from baseline: BenchFigure) -> Double? {
        guard self.median > 0, baseline.median > 0 else { return nil }
        let ratio =
            self.rises ? baseline.median / self.median : self.median / baseline.median
        let noise = max(Self.noiseMin, self.spread, baseline.spread)
        return ratio - 1 > noise ? ratio - 1 : nil
    }

    var json: JSONValue {
        [
            "name": .string(self.name),
            "unit": .string(self.unit),
            "rises": .bool(self.rises),
            "median": .double(self.median),
            "spread": .double(self.spread),
            "values": .array(self.values.map { .double($0) }),
        ]
    }

    init(_ name: String, _ unit: String, rises: Bool = false) {
        self.name = name
        self.unit = unit
        self.rises = rises
    }

    /// Reads what ``json`` wrote; nil where that is something else.
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let unit = json["unit"]?.string,
            let rises = json["rises"]?.bool, let values = json["values"]?.array
        else { return nil }
        self.init(name, unit, rises: rises)
        self.values = values.compactMap { value in
            switch value {
            case .double(let number): number
            case .int(let number): Double(number)
            default: nil
            }
        }
    }
}
