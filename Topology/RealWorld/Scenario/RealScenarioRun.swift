import Chaos
import Glibc
import Mesh
import MeshSocket
import TopologyFile

/// Runs scenarios on real processes: one after the other, each in a run folder of its own.
///
/// While one runs, its run folder is the working directory, and the calling thread belongs to it;
/// afterwards everything is as before. Whatever happens, no process is left behind.
package enum RealScenarioRun {
    /// Somebody wants an end: the run was ended at once and not judged.
    package struct Interrupted: Error, Sendable, Hashable {
        /// The signal that came.
        package var signal: Int32
    }

    /// Runs a scenario from its start to its verdict.
    ///
    /// A fault that never bit or an operation that was never done is no failure here: whoever
    /// knows all seeds says what it means.
    ///
    /// - Parameters:
    ///   - scenario: What to run; with power cuts, as in the simulated world: a kill loses what
    ///     was not synced.
    ///   - executables: The folder of the executables.
    ///   - home: The folder in which the commands of the topology start; the run folder where nil.
    ///   - root: Where run folders are made, such as `.squall/runs`; older runs stay.
    ///   - onProgress: Is told what happens, in words.
    /// - Returns: What came of it; the run folder has the rest.
    /// - Throws: `ControlError` where it could not run, or ``Interrupted``.
    package static func run(
        _ scenario: Scenario,
        executables: String,
        home: String? = nil,
        folder root: String,
        onProgress: @escaping (String) -> Void = { _ in }
    ) throws -> ScenarioOutcome {
        if let obstacle = scenario.obstacle(in: .real) {
            throw ControlError(
                "\(scenario.name) cannot run on real processes: \(obstacle)",
                hint: "squall run",
                isUsage: true
            )
        }
        if let error = RunningTopology.unknownFlaw(scenario.flaws) { throw error }
        let before = FileSystem.absolute(".")
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        defer {
            pthread_sigmask(SIG_SETMASK, &mask, nil)
            if let before { try? FileSystem.enter(before) }
        }
        let loop = try EventLoop()
        let name = scenario.name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
        let folder = try RunFolder.create(in: root, topology: name, now: loop.now())
        defer { folder.close() }
        try FileSystem.enter(folder.path)
        try FileSystem.write(scenario.json.prettyText + "\n", to: RunFolder.Name.scenario)
        let run = try RunningTopology(
            Self.plan(scenario, executables, home),
            folder: folder,
            loop: loop
        )
        run.onHappening = { onProgress($0.text) }
        let faults = RealFaultRunner(run, scenario)
        run.listener = faults
        let ending = try Self.follow(run, loop)
        var outcome = try Self.outcome(scenario, run, faults, ending)
        outcome.elapsed = loop.now() - run.started
        outcome.folder = folder.path
        try FileSystem.write(
            outcome.json(scenario, began: run.started, faults).prettyText + "\n",
            to: RunFolder.Name.outcome
        )
        return outcome
    }

    private static func plan(
        _ scenario: Scenario,
        _ executables: String,
        _ home: String?
    ) -> RunningTopology.Plan {
        var plan = RunningTopology.Plan(topology: scenario.topology, executables: executables)
        plan.home = home
        plan.load = .orders(scenario.orders)
        plan.seed = scenario.seed
        plan.flaws = scenario.flaws
        plan.powerCuts = true
        plan.snapshotEvery = scenario.snapshotEvery
        plan.exceptions = scenario.exceptions
        plan.topology.shutdown.drainWithin = scenario.convergesWithin
        return plan
    }

    /// Lets the loop run until everything has ended.
    private static func follow(
        _ run: RunningTopology,
        _ loop: EventLoop
    ) throws -> RunningTopology.Ending {
        var ending: RunningTopology.Ending?
        var interruption: Interrupted?
        run.onEnded = {
            ending = $0
            loop.stop()
        }
        try loop.onSignals([SIGINT, SIGTERM, SIGHUP]) { signal in
            interruption = Interrupted(signal: signal)
            run.abort()
        }
        try run.start()
        try loop.run()
        if let interruption { throw interruption }
        guard let ending else { throw ControlError("the run ended without a verdict") }
        return ending
    }

    /// What is wrong with a log that was made to rot.
    private static func rot(_ run: RunningTopology) -> ScenarioOutcome.Failure? {
        guard run.hasRotten else { return nil }
        do {
            try run.feed.readAll(again: true)
            return nil
        } catch {
            return ScenarioOutcome.Failure(invariant: "log-readable", summary: "\(error)")
        }
    }

    private static func outcome(
        _ scenario: Scenario,
        _ run: RunningTopology,
        _ faults: RealFaultRunner,
        _ ending: RunningTopology.Ending
    ) throws -> ScenarioOutcome {
        var outcome = ScenarioOutcome(world: .real, seed: scenario.seed)
        outcome.bitten = faults.bitten
        outcome.done = faults.done
        switch ending {
        case .judged(let verdict):
            outcome.verdict = verdict
            outcome.failure = ScenarioOutcome.Failure(
                verdict,
                violation: run.feed.judge.violation,
                unrest: run.unrest,
                within: scenario.convergesWithin
            )
        case .failed(let error):
            if let unreadable = run.unreadable {
                outcome.failure = unreadable
            } else if run.hasServed {
                // The hub is gone for good: nothing comes to its end without it.
                outcome.failure =
                    Self.rot(run) ?? .init(invariant: "converges", summary: error.message)
            } else {
                throw error
            }
        case .aborted: throw ControlError("the run was ended before it was judged")
        }
        return outcome
    }
}

extension ScenarioOutcome {
    /// What is kept of a run on processes.
    fileprivate func json(
        _ scenario: Scenario,
        began: Instant,
        _ runner: RealFaultRunner
    ) -> JSONValue {
        let faults = scenario.faults.enumerated().map { index, fault in
            let span = runner.span(of: index)
            return KeptOutcome.Fault(
                text: fault.description,
                label: fault.deed,
                targets: fault.to.isEmpty ? [fault.target] : [fault.target, fault.to],
                began: span.began.map { $0 - began },
                ended: (fault.lasts ? span.ended : span.began).map { $0 - began },
                bitten: self.bitten[index]
            )
        }
        let done = zip(scenario.operations, self.done).map { operation, isDone -> JSONValue in
            ["operation": .string("\(operation)"), "done": .bool(isDone)]
        }
        let incidents = runner.incidents.map { incident -> JSONValue in
            [
                "afterNanoseconds": .int((incident.time - began).inNanoseconds),
                "text": .string(incident.text),
                "fault": incident.fault.map { .int(Int64($0)) } ?? .null,
            ]
        }
        return .object(
            KeptOutcome(self, of: scenario, faults).members + [
                .init("verdict", self.verdict.map { .string($0.outcome.rawValue) } ?? .null),
                .init("operations", .array(done)), .init("incidents", .array(incidents)),
                .init("elapsedNanoseconds", .int(self.elapsed.inNanoseconds)),
            ]
        )
    }
}
