import Chaos
import Mesh
import RealWorld
import SimulatedWorld

/// `squall run`: runs scenarios, a line each while it goes, the failures with their story at the
/// end.
struct RunCommand {
    let context: CommandContext
    let options: RunOptions

    /// How many failed scenarios are told in full.
    private static let storiesMax = 3

    func run() throws(ControlError) -> Int32 {
        if let error = RunningTopology.unknownFlaw(self.options.flaws) { throw error }
        var found = try ScenarioFinder.scenarios(self.options.paths)
        for index in found.indices {
            try SimCommand.check(found[index].file.topology, found[index].path)
            found[index].file.flaws += self.options.flaws
        }
        let files = found.map(\.file)
        if self.options.proves {
            return try ProofOfScenarios(context: self.context, options: self.options).run(files)
        }
        return try self.run(files)
    }

    private func run(_ files: [ScenarioFile]) throws(ControlError) -> Int32 {
        var runner = ScenarioRunner(options: self.options)
        let lines = ResultLines(context: self.context, names: files.map(\.name))
        let watch = Stopwatch()
        var results: [ScenarioResult] = []
        for file in files where !runner.isInterrupted {
            let own = Stopwatch()
            let count = runner.seedCount(of: file)
            let result = try runner.result(of: file) { lines.live(file.name, $0, of: count) }
            results.append(result)
            lines.write(result, seconds: own.seconds)
        }
        let left = files.count - results.count
        let isPassed = Self.isPassed(results) && left == 0
        let folders = try self.keepFailures(results, files)
        try RunReports(options: self.options, runs: self.context.runs)
            .write(results, files, folders)
        if self.context.output.json {
            let json: JSONValue = [
                "passed": .bool(isPassed), "seconds": .double(watch.seconds),
                "not_run": .int(Int64(left)),
                "scenarios": .array(
                    zip(results, folders).map { result, folder in
                        guard let folder, case .object(let members) = result.json else {
                            return result.json
                        }
                        return .object(members + [.init("run", .string(folder))])
                    }
                ),
            ]
            self.context.terminal.write(json.text)
        } else {
            self.tellFailures(results, files, folders)
            lines.summary(results, isPassed: isPassed, notRun: left, seconds: watch.seconds)
        }
        return isPassed ? ExitCode.held : ExitCode.broken
    }

    /// Whether all that could run passed, and something could.
    private static func isPassed(_ results: [ScenarioResult]) -> Bool {
        let outcomes = results.map(\.outcome)
        return outcomes.contains(.passed)
            && outcomes.allSatisfy { $0 == .passed || $0 == .skipped }
    }

    /// Keeps the first failed run of each scenario; returns their folders.
    private func keepFailures(
        _ results: [ScenarioResult],
        _ files: [ScenarioFile]
    ) throws(ControlError) -> [String?] {
        var folders: [String?] = []
        for (result, file) in zip(results, files) {
            guard let run = result.failures.first else {
                folders.append(nil)
                continue
            }
            guard run.folder.isEmpty else {
                folders.append(run.folder)
                continue
            }
            var outcome = ScenarioOutcome(world: result.world, seed: run.seed)
            outcome.hash = run.hash
            outcome.failure = run.failure
            folders.append(try SavedScenario.save(file.scenario(seed: run.seed), outcome))
        }
        return folders
    }

    /// Tells what a run on processes broke, and where the rest of it is.
    private func tell(_ run: ScenarioResult.Run, of name: String) {
        let terminal = self.context.terminal
        let style = terminal.style
        let failure = run.failure.map { style.bold($0.invariant) + ": \($0.summary)" } ?? ""
        terminal.write(style.red("FAILED") + "  \(name), seed \(run.seed): \(failure)")
        for witness in run.failure?.witness ?? [] {
            terminal.write("     \(style.dim("\(witness)"))")
        }
        let id = run.folder.split(separator: "/").last.map(String.init) ?? run.folder
        terminal.write("squall check \(id)")
    }

    private func tellFailures(
        _ results: [ScenarioResult],
        _ files: [ScenarioFile],
        _ folders: [String?]
    ) {
        let terminal = self.context.terminal
        var told = 0
        for (index, result) in results.enumerated() {
            guard let run = result.failures.first, let folder = folders[index] else { continue }
            terminal.write("")
            if !run.folder.isEmpty {
                self.tell(run, of: result.name)
                continue
            }
            if told < Self.storiesMax,
                let story = FailureStory(runningAgain: files[index].scenario(seed: run.seed))
            {
                ScenarioReport(context: self.context).write(story, of: result.name)
            } else {
                terminal.write(terminal.style.red("FAILED") + "  \(result.name)")
            }
            terminal.write("squall replay \(folder)")
            told += 1
        }
    }
}
