import Mesh

/// What came of one run of a scenario, in either world.
package struct ScenarioOutcome: Sendable {
    package var world: World
    package var seed: UInt64
    /// Equal for equal simulated runs, and for no others; 0 in the real world.
    package var hash: UInt64 = 0
    package var verdict: Verdict?
    /// The promise that was broken; nil where all held.
    package var failure: Failure?
    /// How many messages arrived somewhere; simulated only.
    package var messages = 0
    package var steps = 0
    /// How often each fault of the scenario bit: how often it took hold of something.
    ///
    /// The same is counted in both worlds: a process that ran was killed, stopped (once for a
    /// pause, each time for a share of the processor) or given another time; a rule of a link or a
    /// party's fault hit an attempt; a slowed service was done with an event; a sync failed or took
    /// longer; the disk refused room; a write was torn, a bit flipped; an order was placed in a
    /// spike, a poison event was published. What is armed and meets nothing has not bitten. Whether
    /// anything came of it is for the invariants to say.
    package var bitten: [Int] = []
    /// Which operations came to their end, and had something to do: dead letters to redrive, events
    /// to rewind to.
    package var done: [Bool] = []
    /// How much time passed, virtual in the simulated world.
    package var elapsed = Duration.zero
    /// The run folder; empty for a run that has none.
    package var folder = ""

    /// What was broken as the scenario expects, where it was judged by one that does.
    package private(set) var expected: Failure?

    /// Whether nothing was broken.
    package var hasPassed: Bool { self.failure == nil }

    /// What is wrong with it as an outcome of `scenario`, which may expect a broken promise.
    package func failure(of scenario: Scenario) -> Failure? {
        guard let expected = scenario.expects else { return self.failure }
        if self.failure?.invariant == expected { return nil }
        return self.failure
            ?? Failure(
                invariant: expected,
                summary: "the scenario expects \(expected) to be broken, and it was kept"
            )
    }

    /// The outcome with what is wrong with it as one of `scenario`.
    package func judged(by scenario: Scenario) -> ScenarioOutcome {
        var outcome = self
        outcome.failure = self.failure(of: scenario)
        outcome.expected = outcome.failure == nil ? self.failure : nil
        return outcome
    }

    package init(world: World, seed: UInt64) {
        self.world = world
        self.seed = seed
    }

    /// What is wrong with a run.
    package struct Failure: Sendable, Hashable {
        /// The invariant's name, or `can-run`, `stays-inside`, `converges`, `log-readable`,
        /// `ledgers-readable`.
        package var invariant: String
        package var summary: String
        package var witness: [Witness]

        /// What can be broken that is no invariant's.
        package static let ofNoInvariant = ["converges", "log-readable", "ledgers-readable"]

        package init(invariant: String, summary: String, witness: [Witness] = []) {
            self.invariant = invariant
            self.summary = summary
            self.witness = witness
        }

        /// Creates the failure of an invariant.
        package init(_ invariant: String, _ finding: Finding) {
            self.init(invariant: invariant, summary: finding.summary, witness: finding.witness)
        }

        /// Creates what is wrong with a run that could be judged; nil where nothing is.
        ///
        /// - Parameters:
        ///   - verdict: What was judged at its end.
        ///   - violation: What was broken while it ran.
        ///   - unrest: What was still to be done at its end; nil where it had come to rest.
        ///   - limit: How long it may take to come to rest.
        package init?(
            _ verdict: Verdict,
            violation: (invariant: String, finding: Finding)?,
            unrest: String?,
            within limit: Duration
        ) {
            if let violation {
                self.init(violation.invariant, violation.finding)
            } else if let unrest {
                self.init(
                    invariant: "converges",
                    summary: "not at rest \(limit.text) after the last fault: \(unrest)"
                )
            } else if let check = verdict.checks.first(where: { $0.finding.outcome == .broken }) {
                self.init(check.name, check.finding)
            } else {
                return nil
            }
        }
    }

    /// What was done on purpose, and when.
    package struct Incident: Sendable, Hashable {
        package var time: Instant
        package var text: String
        /// Which fault of the scenario it was.
        package var fault: Int?

        package init(time: Instant, text: String, fault: Int? = nil) {
            self.time = time
            self.text = text
            self.fault = fault
        }
    }
}
