import Chaos
import Mesh
import RealWorld
import SimulatedWorld

/// `squall report`: one HTML file of a finished run.
struct ReportCommand {
    let context: CommandContext
    let options: ReportOptions

    func run() throws(ControlError) -> Int32 {
        let report = try self.report()
        try Self.write(Report.html(of: [report]), to: self.options.file)
        if let junit = self.options.junit { try Self.write(JUnit.xml(of: [report]), to: junit) }
        let terminal = self.context.terminal
        if self.context.output.json {
            terminal.write(Report.json(of: [report]).text)
            return ExitCode.held
        }
        let events = report.timeline?.eventCount ?? 0
        terminal.write(
            "\(report.outcome.rawValue): \(report.name), \(HumanText.count(events)) events, in "
                + self.options.file
        )
        if let junit = self.options.junit { terminal.write("JUnit XML in \(junit)") }
        self.context.hint("open \(self.options.file) in a browser")
        return ExitCode.held
    }

    /// A scenario that was saved is run again; a run of processes is read from its folder.
    private func report() throws(ControlError) -> ReportRun {
        let name = self.options.run ?? "latest"
        // A scenario that ran on processes is not run again: its folder has all of it.
        let named = try? self.context.runs.run(named: name)
        let isReal = named.map { KeptOutcome(folder: $0.path) != nil } ?? false
        if !isReal, self.options.run != nil, SavedScenario.path(named: name) != nil {
            return try self.simulated(name)
        }
        let run = try self.context.runs.run(named: name)
        if !isReal, SavedScenario.path(named: run.path) != nil {
            return try self.simulated(run.path)
        }
        guard !run.isLive else {
            throw ControlError(
                "\(run.id) is still running; a report is made of a run that is over",
                hint: "squall ps --run \(run.id)",
                isUsage: true
            )
        }
        var archive = try RunArchive(folder: run.path)
        return try archive.report(of: run)
    }

    private func simulated(_ name: String) throws(ControlError) -> ReportRun {
        let saved = try SavedScenario(named: name)
        let watch = Stopwatch()
        let run = ScenarioRun(saved.scenario, listens: true)
        let outcome = run.run()
        let took = watch.seconds
        let parts = saved.path.split(separator: "/")
        let folder = parts.count > 1 ? String(parts[parts.count - 2]) : saved.path
        var report = run.report(
            outcome,
            name: parts.last == "scenario.json" ? folder : String(parts.last ?? "scenario"),
            replay: "squall replay \(name)"
        )
        report.took = .nanoseconds(Int64(took * 1e9))
        return report
    }

    private static func write(_ text: String, to file: String) throws(ControlError) {
        do {
            try FileSystem.write(text, to: file)
        } catch {
            throw ControlError(error.message, hint: "squall report --out FILE", isUsage: true)
        }
    }
}
