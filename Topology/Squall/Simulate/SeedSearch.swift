import Chaos
import Mesh
import SimulatedWorld
import Synchronization
import TopologyFile

/// Runs the scenarios of many seeds on all cores, a world on each thread.
final class SeedSearch: Sendable {
    /// What is known so far.
    struct Progress: Sendable {
        var runs = 0
        var messages = 0
        /// How often faults bit, over all runs.
        var bitten = 0
        var failureCount = 0
        /// The failed runs with the lowest seeds.
        var failures: [ScenarioOutcome] = []
        /// The hashes in the order of seeds, as one.
        var hash: UInt64 = 0
        fileprivate var next = 0
        fileprivate var folded = 0
        fileprivate var ahead: [Int: UInt64] = [:]
        fileprivate var isStopped = false
    }

    /// How many failed runs are kept; the rest is only counted.
    static let failuresKept = 20

    private let source: any ScenarioSource
    private let topologyText: String
    private let first: UInt64
    private let runsMax: Int?
    private let stopsAtFailure: Bool
    private let onOutcome: (@Sendable (Scenario, ScenarioOutcome) -> Void)?
    private let state = Mutex(Progress())

    init(
        _ source: any ScenarioSource,
        from first: UInt64,
        runs: Int?,
        stopsAtFailure: Bool = false,
        onOutcome: (@Sendable (Scenario, ScenarioOutcome) -> Void)? = nil
    ) {
        self.source = source
        self.topologyText = source.topology.normalized().text
        self.first = first
        self.runsMax = runs
        self.stopsAtFailure = stopsAtFailure
        self.onOutcome = onOutcome
    }

    var progress: Progress { self.state.withLock { $0 } }

    /// Lets the worlds end after the runs that are under way.
    func stop() { self.state.withLock { $0.isStopped = true } }

    /// Runs on `threads` threads until it is done; `onPause` is called now and then meanwhile and
    /// says whether to go on.
    func run(threads: Int, onPause: () -> Bool) {
        WorldThreads.run(threads, onPause: { if !onPause() { self.stop() } }, self.work)
    }

    private func work() {
        var source = self.source
        // A topology of its own: threads that count references to the same memory slow each other.
        if let own = try? Topology.parse(self.topologyText, file: "topology") {
            source.topology = own
        }
        while let index = self.takeNext() {
            let scenario = source.scenario(seed: self.first &+ UInt64(index))
            let outcome = ScenarioRun.run(scenario)
            self.onOutcome?(scenario, outcome)
            let judged = outcome.judged(by: scenario)
            self.state.withLock { self.add(judged, index, &$0) }
        }
    }

    private func takeNext() -> Int? {
        self.state.withLock { state in
            if state.isStopped { return nil }
            if let runsMax = self.runsMax, state.next >= runsMax { return nil }
            if self.stopsAtFailure, state.failureCount > 0 { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func add(_ outcome: ScenarioOutcome, _ index: Int, _ state: inout Progress) {
        state.runs += 1
        state.messages += outcome.messages
        state.bitten += outcome.bitten.reduce(0, +)
        state.ahead[index] = outcome.hash
        while let hash = state.ahead.removeValue(forKey: state.folded) {
            state.hash = StableHash.combine(state.hash, hash)
            state.folded += 1
        }
        guard !outcome.hasPassed else { return }
        state.failureCount += 1
        state.failures.append(outcome)
        state.failures.sort { $0.seed < $1.seed }
        if state.failures.count > Self.failuresKept { state.failures.removeLast() }
    }
}
