import Mesh
import TopologyFile

/// What came of a scenario over all its seeds, in one world.
///
/// Pure: the same outcomes give the same result, in whatever order they come.
package struct ScenarioResult: Sendable {
    package enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// Every promise was kept under every seed, and all that was written down happened.
        case passed
        /// A promise was broken.
        case failed
        /// None was broken, but something was not judged, or did not happen.
        case unknown
        /// This world cannot do it.
        case skipped
    }

    /// One seed and what came of it.
    package struct Run: Sendable {
        package var seed: UInt64
        package var outcome: Outcome
        /// The promise that was broken, where one was.
        package var failure: ScenarioOutcome.Failure?
        /// What was not judged or not done, where that is so.
        package var doubt: String?
        /// How often each fault of the file bit.
        package var bitten: [Int]
        package var hash: UInt64
        package var elapsed: Duration
        /// The run folder; empty for a run that has none.
        package var folder: String
    }

    package let name: String
    package let summary: String
    package let world: World
    /// The bugs that were planted.
    package let flaws: [String]
    /// Why this world cannot run it; nil where it can.
    package let obstacle: String?
    /// The faults of the file, in words.
    package let faults: [String]
    /// How often each of them bit, over all seeds.
    package private(set) var bitten: [Int]
    package private(set) var messages = 0
    private var unsorted: [Run] = []
    private let operations: [Operation]

    /// Creates the result of a scenario that has not run yet.
    package init(of file: ScenarioFile, in world: World) {
        self.name = file.name
        self.summary = file.summary
        self.world = world
        self.flaws = file.flaws
        self.obstacle = file.obstacle(in: world)
        self.faults = file.faults.map(\.description)
        self.bitten = [Int](repeating: 0, count: file.faults.count)
        self.operations = file.operations
    }

    /// Takes in what came of one seed.
    package mutating func add(_ outcome: ScenarioOutcome, of scenario: Scenario) {
        var bitten = [Int](repeating: 0, count: self.faults.count)
        for (index, count) in outcome.bitten.enumerated() where index < scenario.origins.count {
            bitten[scenario.origins[index]] += count
        }
        for index in bitten.indices { self.bitten[index] += bitten[index] }
        self.messages += outcome.messages
        let failure = outcome.failure(of: scenario)
        // What was expected to be broken was judged.
        let isJudged = failure != nil || scenario.expects != nil
        let doubt = isJudged ? nil : self.doubt(about: outcome)
        let word: Outcome = failure != nil ? .failed : doubt == nil ? .passed : .unknown
        self.unsorted.append(
            Run(
                seed: outcome.seed,
                outcome: word,
                failure: failure,
                doubt: doubt,
                bitten: bitten,
                hash: outcome.hash,
                elapsed: outcome.elapsed,
                folder: outcome.folder
            )
        )
    }

    /// What leaves a run without a broken promise in doubt; nil where nothing does.
    private func doubt(about outcome: ScenarioOutcome) -> String? {
        guard let verdict = outcome.verdict else { return "nothing was judged" }
        if verdict.isVacuous { return "nothing was judged: no order ended" }
        if let check = verdict.checks.first(where: { $0.finding.outcome == .unknown }) {
            return "\(check.name): \(check.finding.summary)"
        }
        let undone = self.operations.enumerated().first { index, _ in
            index >= outcome.done.count || !outcome.done[index]
        }
        return undone.map { "did not come to its end: \($0.element)" }
    }

    // MARK: What it comes to

    /// The runs, by seed.
    package var runs: [Run] { self.unsorted.sorted { $0.seed < $1.seed } }

    /// The runs in which a promise was broken, by seed.
    package var failures: [Run] { self.runs.filter { $0.outcome == .failed } }

    /// The word for it all.
    package var outcome: Outcome {
        if self.obstacle != nil { return .skipped }
        if self.unsorted.contains(where: { $0.outcome == .failed }) { return .failed }
        return self.doubts.isEmpty ? .passed : .unknown
    }

    /// Why nothing is proved, by name: faults that never bit, operations that never ended, runs in
    /// which nothing was judged; empty where there is no doubt.
    package var doubts: [String] {
        guard self.obstacle == nil else { return [] }
        guard !self.unsorted.isEmpty else { return ["it was not run"] }
        var doubts = zip(self.faults, self.bitten).filter { $0.1 == 0 }
            .map { "never bit: \($0.0)" }
        var counts: [String: Int] = [:]
        var order: [String] = []
        for doubt in self.runs.compactMap(\.doubt) {
            if counts[doubt] == nil { order.append(doubt) }
            counts[doubt, default: 0] += 1
        }
        for doubt in order {
            let count = counts[doubt] ?? 0
            let some = "\(count) of \(self.unsorted.count) seeds: "
            doubts.append((count < self.unsorted.count ? some : "") + doubt)
        }
        return doubts
    }

    /// The hashes of its runs in the order of their seeds, as one.
    package var hash: UInt64 {
        self.runs.reduce(0) { StableHash.combine($0, $1.hash) }
    }

    /// The result as an object.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("scenario", .string(self.name)),
            .init("world", .string(self.world.rawValue)),
            .init("outcome", .string(self.outcome.rawValue)),
            .init("seeds", .int(Int64(self.unsorted.count))),
        ]
        if !self.flaws.isEmpty {
            members.append(.init("flaws", .array(self.flaws.map { .string($0) })))
        }
        if let obstacle { members.append(.init("skipped", .string(obstacle))) }
        members.append(.init("doubts", .array(self.doubts.map { .string($0) })))
        let faults = zip(self.faults, self.bitten).map { fault, bitten -> JSONValue in
            ["fault": .string(fault), "bitten": .int(Int64(bitten))]
        }
        members.append(.init("faults", .array(faults)))
        let failures = self.failures.map { run -> JSONValue in
            [
                "seed": .string(String(run.seed)),
                "invariant": .string(run.failure?.invariant ?? ""),
                "summary": .string(run.failure?.summary ?? ""),
                "witness": .array((run.failure?.witness ?? []).map(\.json)),
            ]
        }
        members.append(.init("failures", .array(failures)))
        members.append(.init("run_hash", .string(Hex.text(self.hash))))
        return .object(members)
    }
}

/// What can give the scenario of every seed.
package protocol ScenarioSource: Sendable {
    /// What the scenarios run; each thread that draws has a copy of its own.
    var topology: Topology { get set }
    /// Returns the scenario of a seed.
    func scenario(seed: UInt64) -> Scenario
}

extension ScenarioDraw: ScenarioSource {}
extension ScenarioFile: ScenarioSource {}
