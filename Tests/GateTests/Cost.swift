import CCounters
import Testing

/// What some code asked of the machine, on the thread that ran it.
struct Cost: CustomStringConvertible {
    /// One thing that is counted.
    struct Kind: Sendable {
        let name: String
        fileprivate let count: @Sendable (squall_counts) -> Int64

        /// Pieces of memory asked for.
        static let allocations = Kind(name: "allocations") { $0.allocations }
        /// In pieces of at least 1 KiB.
        static let copiedBytes = Kind(name: "copied bytes") { $0.copied_bytes }
        static let sends = Kind(name: "sends") { $0.sends }
        static let receives = Kind(name: "receives") { $0.receives }
        static let waits = Kind(name: "waits") { $0.waits }
        static let controls = Kind(name: "changes of interest") { $0.controls }
        static let writes = Kind(name: "writes") { $0.writes }
        static let reads = Kind(name: "reads") { $0.reads }
        static let syncs = Kind(name: "syncs") { $0.syncs }
        static let all = [
            allocations, copiedBytes, sends, receives, waits, controls, writes, reads, syncs,
        ]
    }

    private var counts: [Int] = Kind.all.map { _ in 0 }

    /// Whether this build counts; one for a sanitizer does not.
    static var isCounted: Bool { squall_can_count() != 0 }

    init() {}

    /// Adds what `body` asks for.
    mutating func count<Result>(_ body: () throws -> Result) rethrows -> Result {
        _ = squall_counting(1)
        defer {
            _ = squall_counting(0)
            let counts = squall_take_counts()
            for (index, kind) in Kind.all.enumerated() {
                self.counts[index] += Int(kind.count(counts))
            }
        }
        return try body()
    }

    /// Leaves out what `body` asks for, in the middle of something that is counted.
    static func uncounted(_ body: () throws -> Void) rethrows {
        let before = squall_counting(0)
        defer { _ = squall_counting(before) }
        try body()
    }

    /// Returns, of each thing, the median of what several rounds cost: how memory that grows by
    /// doubling happens to lie between them does not matter.
    static func median(of rounds: [Cost]) -> Cost {
        var median = Cost()
        for index in median.counts.indices {
            median.counts[index] = rounds.map { $0.counts[index] }.sorted()[rounds.count / 2]
        }
        return median
    }

    subscript(_ kind: Kind) -> Int {
        zip(Kind.all, self.counts).first { $0.0.name == kind.name }?.1 ?? 0
    }

    var description: String {
        let parts = zip(self.counts, Kind.all).filter { $0.0 != 0 }.map { "\($0) \($1.name)" }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    /// Fails where there was more of something than `ceiling` for each of `count`.
    func expect(
        _ kind: Kind,
        of what: String,
        _ count: Int = 1,
        atMost ceiling: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let each = Double(self[kind]) / Double(count)
        #expect(
            each <= ceiling,
            "\(what): \(each) \(kind.name), at most \(ceiling) were expected (in all: \(self))",
            sourceLocation: sourceLocation
        )
    }
}
