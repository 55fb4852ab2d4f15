import Chaos
import Glibc
import Mesh
import RealWorld
import SimulatedWorld
import TopologyFile

/// `squall sim`: runs the shop under seeds, without processes, as fast as the machine can.
struct SimCommand {
    let context: CommandContext
    let options: SimOptions

    func run() throws(ControlError) -> Int32 {
        if self.options.task == .listBugs { return BugTable(context: self.context).list() }
        if let error = RunningTopology.unknownFlaw(self.options.flaws) { throw error }
        let path = try TopologyCommands.path(self.options.file)
        let topology = try TopologyCommands.topology(path)
        try Self.check(topology, path)
        try Self.check(exceptions: self.options.exceptions, topology)
        var draw = ScenarioDraw(
            topology: topology,
            orders: self.options.orders,
            faultCount: self.options.faults
        )
        draw.flaws = self.options.flaws
        draw.varies = !self.options.isPlain
        draw.rots = true
        draw.strategy = self.options.strategy
        draw.exceptions = self.options.exceptions
        let seed = self.options.seed ?? 1
        switch self.options.task {
        case .search: return try self.search(draw, seed)
        case .events: return self.events(draw.scenario(seed: seed))
        case .hashes: return self.hashes(draw, seed)
        case .verify:
            return try VerifyCommand(context: self.context, options: self.options)
                .run(draw, seed)
        case .bugs: return BugTable(context: self.context).hunt(draw, seed, self.options)
        case .listBugs: return ExitCode.held
        }
    }

    /// Refuses a topology with a service that this squall does not link.
    static func check(_ topology: Topology, _ path: String) throws(ControlError) {
        guard let missing = ServiceCatalogue.linked.missing(in: topology) else { return }
        throw ControlError("\(path): \(missing)", hint: "squall up \(path)", isUsage: true)
    }

    /// Only what is judged can be left out.
    private static func check(
        exceptions: Set<String>,
        _ topology: Topology
    ) throws(ControlError) {
        let known = Judge(layout: topology.layout).names
        guard let wrong = exceptions.sorted().first(where: { !known.contains($0) }) else { return }
        throw ControlError(
            "--without: there is no invariant '\(wrong)'"
                + (Suggestion.closest(to: wrong, among: known).map { "; did you mean '\($0)'?" }
                    ?? "; there are \(known.joined(separator: ", "))"),
            hint: "squall help sim",
            isUsage: true
        )
    }

    /// How many worlds run side by side: as many as asked for, else one a core.
    static func threads(_ asked: Int?) -> Int {
        asked ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    // MARK: Searching

    private func search(_ draw: ScenarioDraw, _ seed: UInt64) throws(ControlError) -> Int32 {
        let isSingle = self.options.seed != nil && self.options.runs == nil
        let search = SeedSearch(draw, from: seed, runs: isSingle ? 1 : self.options.runs)
        let watch = Stopwatch()
        var interrupts = InterruptWatch()
        let terminal = self.context.terminal
        let isLive = terminal.isInteractive && self.context.output.isChatty
        search.run(threads: Self.threads(self.options.threads)) {
            let goesOn = !interrupts.comes(within: isLive || self.options.runs == nil ? 200 : 20)
            if isLive { self.writeLive(search.progress, watch.seconds) }
            return goesOn
        }
        let seconds = watch.seconds
        if isLive { terminal.writeRaw("\r\u{1B}[K") }
        let progress = search.progress
        var folders: [String] = []
        for outcome in progress.failures.prefix(3) {
            folders.append(try SavedScenario.save(draw.scenario(seed: outcome.seed), outcome))
        }
        if self.context.output.json {
            terminal.write(self.json(progress, seconds, folders).text)
        } else {
            self.report(progress, seconds, folders, draw)
        }
        return progress.failureCount == 0 ? ExitCode.held : ExitCode.broken
    }

    private static func rate(_ progress: SeedSearch.Progress, _ seconds: Double) -> Int {
        Int(Double(progress.runs) / max(seconds, 1e-9) * 60)
    }

    private func writeLive(_ progress: SeedSearch.Progress, _ seconds: Double) {
        let style = self.context.terminal.style
        let failures = "\(HumanText.count(progress.failureCount)) failures"
        self.context.terminal.writeRaw(
            "\r\u{1B}[K\(HumanText.count(progress.runs)) runs, "
                + "\(HumanText.count(Self.rate(progress, seconds))) runs/min, "
                + "\(HumanText.count(progress.bitten)) faults bitten, "
                + (progress.failureCount > 0 ? style.red(failures) : failures)
                + style.dim("  Ctrl-C ends")
        )
    }

    private func json(
        _ progress: SeedSearch.Progress,
        _ seconds: Double,
        _ folders: [String]
    ) -> JSONValue {
        let failures = progress.failures.enumerated().map { index, outcome -> JSONValue in
            [
                "seed": .string(String(outcome.seed)),
                "invariant": .string(outcome.failure?.invariant ?? ""),
                "summary": .string(outcome.failure?.summary ?? ""),
                "run": index < folders.count ? .string(folders[index]) : .null,
            ]
        }
        return [
            "runs": .int(Int64(progress.runs)),
            "seconds": .double(seconds),
            "runs_per_minute": .int(Int64(Self.rate(progress, seconds))),
            "simulated_messages": .int(Int64(progress.messages)),
            "faults_bitten": .int(Int64(progress.bitten)),
            "failures": .int(Int64(progress.failureCount)),
            "failed_runs": .array(failures),
            "run_hash": .string(Hex.text(progress.hash)),
        ]
    }

    private func report(
        _ progress: SeedSearch.Progress,
        _ seconds: Double,
        _ folders: [String],
        _ draw: ScenarioDraw
    ) {
        let terminal = self.context.terminal
        let style = terminal.style
        for (outcome, folder) in zip(progress.failures, folders) {
            ScenarioReport(context: self.context).tell(
                draw.scenario(seed: outcome.seed),
                replay: folder
            )
        }
        let word =
            progress.failureCount == 0
            ? style.green("PASSED")
            : style.red("FAILED \(HumanText.count(progress.failureCount)) of")
        terminal.write(
            "\(word) \(HumanText.count(progress.runs)) runs in "
                + "\(HumanText.duration(.nanoseconds(Int64(seconds * 1e9)))), "
                + "\(HumanText.count(Self.rate(progress, seconds))) a minute, "
                + "\(HumanText.count(progress.messages)) messages, "
                + "\(HumanText.count(progress.bitten)) faults bitten, "
                + "run hash \(Hex.text(progress.hash))"
        )
        if progress.failureCount > folders.count {
            let seeds = progress.failures.dropFirst(folders.count).map { String($0.seed) }
            let more = progress.failureCount > progress.failures.count ? ", …" : ""
            terminal.write(style.dim("also failed: seeds \(seeds.joined(separator: ", "))\(more)"))
        }
    }

    // MARK: One run

    private func events(_ scenario: Scenario) -> Int32 {
        let run = ScenarioRun(scenario, listens: true)
        let outcome = run.run().judged(by: scenario)
        let terminal = self.context.terminal
        let incidents = run.incidents
        var next = 0
        for record in run.records() {
            while !self.context.output.json, next < incidents.count,
                incidents[next].time <= record.time
            {
                terminal.write(terminal.style.red("             ⚡ \(incidents[next].text)"))
                next += 1
            }
            for event in record.events {
                terminal.write(
                    self.context.output.json
                        ? EventText.json(event, layout: run.layout).text
                        : EventText.line(
                            event,
                            at: record.time,
                            layout: run.layout,
                            style: terminal.style
                        )
                )
            }
        }
        if !self.context.output.json {
            ScenarioReport(context: self.context).verdict(outcome)
        }
        return outcome.hasPassed ? ExitCode.held : ExitCode.broken
    }

    private func hashes(_ draw: ScenarioDraw, _ seed: UInt64) -> Int32 {
        for index in 0..<(self.options.runs ?? 1) {
            let outcome = ScenarioRun.run(draw.scenario(seed: seed &+ UInt64(index)))
            self.context.terminal.write("\(outcome.seed) \(Hex.text(outcome.hash))")
        }
        return ExitCode.held
    }
}
