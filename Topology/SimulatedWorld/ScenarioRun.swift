import Chaos
import Mesh
import ServiceKit
import TopologyFile

/// One scenario run in the simulated world, from its start to its verdict.
package struct ScenarioRun {
    package typealias Failure = ScenarioOutcome.Failure
    package typealias Incident = ScenarioOutcome.Incident

    package let scenario: Scenario
    let shop: SimulatedShop
    private let faults: FaultRunner
    private let start: Instant
    /// Why it cannot be run.
    private let problem: String?

    private let complaintBox = ComplaintBox()

    private final class ComplaintBox {
        var complaints: [Incident] = []
    }

    /// Prepares the run of a scenario; one that `listens` keeps what services complain about.
    ///
    /// Every service of its topology must be one of `services`; `publications` are published
    /// beside the orders, and `invariants` judged beside the usual ones.
    package init(
        _ scenario: Scenario,
        services: ServiceCatalogue = .linked,
        publications: [Publication] = [],
        invariants: [@Sendable (MeshLayout) -> any Invariant] = [],
        listens: Bool = false
    ) {
        self.scenario = scenario
        self.shop = SimulatedShop(
            topology: scenario.topology,
            orders: scenario.orders,
            seed: scenario.seed,
            flaws: Flaws(names: Set(scenario.flaws)),
            strategy: scenario.strategy,
            exceptions: scenario.exceptions,
            services: services,
            invariants: invariants
        )
        var problem = self.shop.missing.map { "\($0)" }
        for publication in publications {
            do { try self.shop.publish(publication) } catch { problem = problem ?? "\(error)" }
        }
        self.problem = problem
        if let every = scenario.snapshotEvery { self.shop.snapshotIntervalMax = every }
        self.start = self.shop.simulation.now
        self.faults = FaultRunner(
            shop: self.shop,
            faults: scenario.faults,
            operations: scenario.operations
        )
        guard listens else { return }
        self.shop.onLog = { [complaintBox, simulation = self.shop.simulation] level, text in
            guard level == .warning || level == .error else { return }
            complaintBox.complaints.append(Incident(time: simulation.now, text: text))
        }
    }

    /// What services complained about, where the run listens.
    package var complaints: [Incident] { self.complaintBox.complaints }

    /// Runs a scenario.
    package static func run(
        _ scenario: Scenario,
        services: ServiceCatalogue = .linked,
        publications: [Publication] = []
    ) -> ScenarioOutcome {
        ScenarioRun(scenario, services: services, publications: publications).run()
    }

    /// Runs a service among those of a topology, with the load, the faults and the set-up that the
    /// seed draws.
    ///
    /// The topology gets the service where it has none of that name: see
    /// ``TopologyFile/Topology/adding(_:emits:instances:settings:)``.
    package static func run<S: Service>(
        _ service: S.Type,
        in topology: Topology,
        emits: [String] = [],
        seed: UInt64,
        orders: Int = 30,
        faults: Int = 10
    ) -> ScenarioOutcome {
        let draw = ScenarioDraw(
            topology: topology.adding(service, emits: emits),
            orders: orders,
            faultCount: faults
        )
        return Self.run(draw.scenario(seed: seed), services: .linked.adding(service))
    }

    /// Runs it to its end: the first broken promise, or rest after all faults have healed.
    package func run() -> ScenarioOutcome {
        if let problem = self.problem { return self.refused(problem) }
        self.shop.start()
        self.faults.start()
        var lastTrouble = self.start
        var isOver = false
        var hasConverged = false
        while !isOver {
            self.shop.simulation.run(within: .milliseconds(250)) { false }
            let now = self.shop.simulation.now
            if self.isBroken { break }
            if self.faults.isUnderWay, !self.faults.onlyWaits || !self.shop.isAtRest {
                lastTrouble = now
            }
            let isLongEnough = now - self.start >= self.scenario.atLeast
            if isLongEnough, lastTrouble < now, self.faults.isSettled, self.shop.isAtRest {
                hasConverged = true
                isOver = true
            } else if now - lastTrouble > self.scenario.convergesWithin, isLongEnough {
                isOver = true
            }
        }
        self.faults.takeCounts()
        defer { self.shop.end() }
        return self.outcome(hasConverged)
    }

    private func refused(_ problem: String) -> ScenarioOutcome {
        var outcome = ScenarioOutcome(world: .simulated, seed: self.scenario.seed)
        outcome.failure = Failure(invariant: "can-run", summary: problem)
        outcome.bitten = self.faults.bitten
        return outcome
    }

    private var isBroken: Bool {
        self.shop.judge.violation != nil || self.shop.logProblem != nil
            || self.shop.hubFailure != nil || !self.shop.escapes.isEmpty
    }

    private func outcome(_ hasConverged: Bool) -> ScenarioOutcome {
        let violation = self.shop.judge.violation
        var verdict: Verdict?
        var failure: Failure?
        // What depends on more than the seed is the cause of whatever else went wrong.
        let waiting = hasConverged || self.isBroken ? nil : self.shop.waitsForNothing
        if let escape = self.shop.escapes.first ?? waiting {
            failure = Failure(invariant: "stays-inside", summary: "\(escape)", witness: [])
        } else if let error = self.shop.hubFailure ?? self.shop.logProblem
            ?? self.shop.foundRot
        {
            failure = Failure(invariant: "log-readable", summary: "\(error)", witness: [])
        }
        do {
            verdict = try self.shop.verdict()
        } catch {
            failure =
                failure
                ?? Failure(invariant: "ledgers-readable", summary: "\(error)")
        }
        if failure == nil, let violation {
            failure = Failure(violation.invariant, violation.finding)
        }
        if failure == nil, !hasConverged {
            failure = Failure(
                invariant: "converges",
                summary: "not at rest \(self.scenario.convergesWithin.text) after the last fault: "
                    + self.unrest,
                witness: []
            )
        }
        if failure == nil, let check = verdict?.checks.first(where: Self.isBroken) {
            failure = Failure(check.name, check.finding)
        }
        var outcome = ScenarioOutcome(world: .simulated, seed: self.scenario.seed)
        outcome.hash = self.shop.runHash
        outcome.verdict = verdict
        outcome.failure = failure
        outcome.messages = self.shop.simulation.messageCount
        outcome.steps = self.shop.simulation.stepCount
        outcome.bitten = self.faults.bitten
        outcome.done = self.faults.done
        outcome.elapsed = self.shop.simulation.now - self.start
        return outcome
    }

    /// What is still to be done, in words.
    private var unrest: String {
        let unrest = self.shop.unrest
        if self.faults.isSettled { return unrest }
        return (unrest.isEmpty ? "" : unrest + ", ") + "an operation or a fault has not ended"
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
    package var incidents: [Incident] { self.faults.incidents }

    /// When a fault began and ended; nil where it did not.
    func faultSpan(_ fault: Int) -> (began: Instant?, ended: Instant?) {
        self.faults.span(of: fault)
    }

    /// What the outside parties wrote down.
    package func ledgers() throws -> Ledgers { try self.shop.ledgers() }
}

extension ScenarioOutcome.Failure {
    fileprivate init(_ invariant: String, _ finding: Finding) {
        self.init(invariant: invariant, summary: finding.summary, witness: finding.witness)
    }
}
