import Mesh
import TopologyFile

/// What the topology file promises about times, and what they were.
///
/// Objectives do not change the verdict: faults armed by hand make times longer, as they should.
package struct ObjectiveReport: Sendable, Hashable {
    /// One objective.
    package struct Line: Sendable, Hashable {
        package var name: String
        package var limit: Duration
        /// Nil where nothing was measured.
        package var actual: Duration?

        /// Whether the objective was met; nil where nothing was measured.
        package var isMet: Bool? { self.actual.map { $0 <= self.limit } }
    }

    package private(set) var lines: [Line] = []

    init(_ objectives: Topology.Objectives, _ timing: TimingReport, orderP99: Duration?) {
        self.add("orderP99", objectives.orderP99, orderP99)
        self.add("readyWithin", objectives.readyWithin, timing.ready)
        self.add(
            "servingAgainWithin",
            objectives.servingAgainWithin,
            timing.kills.compactMap(\.serving).max()
        )
    }

    private mutating func add(_ name: String, _ limit: Duration?, _ actual: Duration?) {
        if let limit { self.lines.append(Line(name: name, limit: limit, actual: actual)) }
    }

    /// The report as a list of objects, times in nanoseconds.
    package var json: JSONValue {
        .array(
            self.lines.map { line in
                [
                    "name": .string(line.name), "limitNanoseconds": .optional(line.limit),
                    "actualNanoseconds": .optional(line.actual),
                    "met": line.isMet.map { .bool($0) } ?? .null,
                ]
            }
        )
    }
}
