import Chaos
import Mesh
import ServiceKit

/// One scenario run in the simulated world, from its start to its verdict.
package struct ScenarioRun {
    /// What came of a run.
    package struct Outcome: Sendable {
        package var seed: UInt64
        /// Equal for equal runs, and for no others.
        package var hash: UInt64
        package var verdict: Verdict?
        /// The promise that was broken; nil where all held.
        package var failure: Failure?
        package var messages: Int
        package var steps: Int
        /// How often each fault bit.
        package var bitten: [Int]
        /// How much virtual time passed.
        package var elapsed: Duration

        package var hasPassed: Bool { self.failure == nil }
    }

    /// What is wrong with a run.
    package struct Failure: Sendable, Hashable {
        /// The invariant's name, or `converges`, `log-readable`, `ledgers-readable`.
        package var invariant: String
        package var summary: String
        package var witness: [Witness]
    }

    package let scenario: Scenario
    private let shop: SimulatedShop
    private let faults: FaultRunner
    private let start: Instant

    private let complaintBox = ComplaintBox()

    private final class ComplaintBox {
        var complaints: [Incident] = []
    }

    /// Prepares the run of a scenario; one that `listens` keeps what services complain about.
    package init(_ scenario: Scenario, listens: Bool = false) {
        self.scenario = scenario
        self.shop = SimulatedShop(
            topology: scenario.topology,
            orders: scenario.orders,
            seed: scenario.seed,
            flaws: Flaws(names: Set(scenario.flaws))
        )
        if let every = scenario.snapshotEvery { self.shop.snapshotIntervalMax = every }
        self.start = self.shop.simulation.now
        self.faults = FaultRunner(shop: self.shop, faults: scenario.faults)
        guard listens else { return }
        self.shop.onLog = { [complaintBox, simulation = self.shop.simulation] level, text in
            guard level == .warning || level == .error else { return }
            complaintBox.complaints.append(Incident(time: simulation.now, text: text))
        }
    }

    /// What services complained about, where the run listens.
    package var complaints: [Incident] { self.complaintBox.complaints }

    /// Runs a scenario.
    package static func run(_ scenario: Scenario) -> Outcome { ScenarioRun(scenario).run() }

    /// Runs it to its end: the first broken promise, or rest after all faults have healed.
    package func run() -> Outcome {
        self.shop.start()
        var lastTrouble = self.start
        var isOver = false
        var hasConverged = false
        while !isOver {
            self.shop.simulation.run(within: .milliseconds(250)) { false }
            let now = self.shop.simulation.now
            if self.isBroken { break }
            if !self.faults.hasBegunAll || !self.faults.isHealed { lastTrouble = now }
            let isLongEnough = now - self.start >= self.scenario.atLeast
            if isLongEnough, lastTrouble < now, self.shop.isAtRest {
                hasConverged = true
                isOver = true
            } else if now - lastTrouble > self.scenario.convergesWithin, isLongEnough {
                isOver = true
            }
        }
        self.faults.finish()
        return self.outcome(hasConverged)
    }

    private var isBroken: Bool {
        self.shop.judge.violation != nil || self.shop.logProblem != nil
            || self.shop.hubFailure != nil
    }

    private func outcome(_ hasConverged: Bool) -> Outcome {
        let violation = self.shop.judge.violation
        var verdict: Verdict?
        var failure: Failure?
        if let error = self.shop.hubFailure ?? self.shop.logProblem {
            failure = Failure(invariant: "log-readable", summary: "\(error)", witness: [])
        }
        do {
            verdict = try self.shop.verdict()
        } catch {
            failure =
                failure
                ?? Failure(invariant: "ledgers-readable", summary: "\(error)", witness: [])
        }
        if failure == nil, let violation {
            failure = Failure(violation.invariant, violation.finding)
        }
        if failure == nil, !hasConverged {
            failure = Failure(
                invariant: "converges",
                summary: "not at rest \(self.scenario.convergesWithin.text) after the last fault: "
                    + self.shop.unrest,
                witness: []
            )
        }
        if failure == nil, let check = verdict?.checks.first(where: Self.isBroken) {
            failure = Failure(check.name, check.finding)
        }
        return Outcome(
            seed: self.scenario.seed,
            hash: self.shop.runHash,
            verdict: verdict,
            failure: failure,
            messages: self.shop.simulation.messageCount,
            steps: self.shop.simulation.stepCount,
            bitten: self.faults.bitten,
            elapsed: self.shop.simulation.now - self.start
        )
    }

    private static func isBroken(_ check: Verdict.Check) -> Bool {
        check.finding.outcome == .broken
    }

    // MARK: Looking back

    /// When the run began, in virtual time.
    package var began: Instant { self.start }

    /// The layout of the topology that ran.
    package var layout: MeshLayout { self.shop.layout }

    /// Everything the log says, in order.
    package func records() -> [LogRecord] {
        var follower = LogFollower()
        var records: [LogRecord] = []
        while let more = try? follower.next(from: self.shop.disk), !more.isEmpty {
            records += more
        }
        return records
    }

    /// What was done on purpose, in order.
    package var incidents: [Incident] {
        self.faults.incidents.map { Incident(time: $0.time, text: $0.text, fault: $0.fault) }
    }

    /// What the outside parties wrote down.
    package func ledgers() throws -> Ledgers { try self.shop.ledgers() }
}

extension ScenarioRun.Failure {
    init(_ invariant: String, _ finding: Finding) {
        self.init(invariant: invariant, summary: finding.summary, witness: finding.witness)
    }
}
