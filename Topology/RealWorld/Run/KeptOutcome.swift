import Chaos
import Mesh

/// What a scenario run on processes has kept in its folder beside the log: what was done to it and
/// what came of it.
package struct KeptOutcome: Sendable {
    /// A fault of the scenario, as it came.
    package struct Fault: Sendable, Hashable {
        package var text: String
        package var label: String
        /// What it was done to.
        package var targets: [String]
        /// How long after the start it began and ended; nil where it did not.
        package var began: Duration?
        package var ended: Duration?
        package var bitten: Int
    }

    package let seed: UInt64
    /// The invariants that it was not judged by.
    package let exceptions: Set<String>
    /// The promise that had to be broken; nil where all had to be kept.
    package let expects: String?
    /// What was broken.
    package let failure: ScenarioOutcome.Failure?
    package let faults: [Fault]

    /// Takes what came of a run.
    init(_ outcome: ScenarioOutcome, of scenario: Scenario, _ faults: [Fault]) {
        self.seed = scenario.seed
        self.exceptions = scenario.exceptions
        self.expects = scenario.expects
        self.failure = outcome.failure
        self.faults = faults
    }

    /// Reads what the run of a folder has kept; nil where it was no scenario on processes.
    package init?(folder: String) {
        guard let text = try? FileSystem.readText("\(folder)/\(RunFolder.Name.outcome)"),
            let json = try? JSONValue(parsing: text),
            json["world"]?.string == World.real.rawValue,
            let seed = json["seed"]?.string.flatMap({ UInt64($0) })
        else { return nil }
        self.seed = seed
        self.exceptions = Set((json["except"]?.array ?? []).compactMap(\.string))
        self.expects = json["expects"]?.string
        self.failure = json["invariant"]?.string.map { name in
            ScenarioOutcome.Failure(invariant: name, summary: json["summary"]?.string ?? "")
        }
        self.faults = (json["faults"]?.array ?? []).map { fault in
            Fault(
                text: fault["fault"]?.string ?? "",
                label: fault["label"]?.string ?? "",
                targets: (fault["targets"]?.array ?? []).compactMap(\.string),
                began: fault["beganNanoseconds"]?.int.map { .nanoseconds($0) },
                ended: fault["endedNanoseconds"]?.int.map { .nanoseconds($0) },
                bitten: Int(clamping: fault["bitten"]?.int ?? 0)
            )
        }
    }

    /// What goes into the folder.
    var members: [JSONValue.Member] {
        let faults = self.faults.map { fault -> JSONValue in
            [
                "fault": .string(fault.text), "label": .string(fault.label),
                "targets": .array(fault.targets.map { .string($0) }),
                "beganNanoseconds": Self.json(fault.began),
                "endedNanoseconds": Self.json(fault.ended), "bitten": .int(Int64(fault.bitten)),
            ]
        }
        return [
            .init("world", .string(World.real.rawValue)), .init("seed", .string(String(self.seed))),
            .init("except", .array(self.exceptions.sorted().map { .string($0) })),
            .init("expects", self.expects.map { .string($0) } ?? .null),
            .init("invariant", self.failure.map { .string($0.invariant) } ?? .null),
            .init("summary", self.failure.map { .string($0.summary) } ?? .null),
            .init("faults", .array(faults)),
        ]
    }

    private static func json(_ time: Duration?) -> JSONValue {
        time.map { .int($0.inNanoseconds) } ?? .null
    }

    /// What was broken although it had to hold; nil where nothing was.
    package var unexpected: ScenarioOutcome.Failure? {
        self.expects != nil && self.failure?.invariant == self.expects ? nil : self.failure
    }
}
