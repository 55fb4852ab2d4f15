import Chaos
import Mesh
import RealWorld
import SimulatedWorld

/// `squall replay` and `squall shrink`: a saved scenario again, and as small as it gets.
struct ReplayCommands {
    let context: CommandContext

    func replay(_ name: String) throws(ControlError) -> Int32 {
        let saved = try SavedScenario(named: name)
        let terminal = self.context.terminal
        let report = ScenarioReport(context: self.context)
        let outcome: ScenarioOutcome
        if self.context.output.json {
            outcome = ScenarioRun.run(saved.scenario).judged(by: saved.scenario)
            var members = report.json(outcome, saved.scenario)
            let isSame: JSONValue = saved.hash.map { .bool($0 == outcome.hash) } ?? .null
            members.append(.init("same_run", isSame))
            terminal.write(JSONValue.object(members).text)
        } else {
            outcome = report.tell(saved.scenario, replay: nil)
            switch saved.hash {
            case outcome.hash?:
                terminal.write("the same run as before: run hash \(Hex.text(outcome.hash))")
            case let other?:
                terminal.write(
                    terminal.style.yellow(
                        "another run than before: run hash \(Hex.text(outcome.hash)), it was "
                            + "\(Hex.text(other)); the code or the scenario has changed"
                    )
                )
            case nil:
                terminal.write("run hash \(Hex.text(outcome.hash))")
            }
            if !outcome.hasPassed, saved.scenario.faults.count > 3 {
                self.context.hint("squall shrink \(name) finds the few faults that suffice")
            }
        }
        return outcome.hasPassed ? ExitCode.held : ExitCode.broken
    }

    func shrink(_ name: String) throws(ControlError) -> Int32 {
        let saved = try SavedScenario(named: name)
        let terminal = self.context.terminal
        let watch = Stopwatch()
        let outcome = ScenarioRun.run(saved.scenario).judged(by: saved.scenario)
        let isLive = terminal.isInteractive && self.context.output.isChatty
        let onProgress = { (scenario: Scenario, runs: Int) in
            guard isLive else { return }
            terminal.writeRaw(
                "\r\u{1B}[K\(scenario.faults.count) faults, \(scenario.orders) orders after "
                    + "\(runs) runs"
            )
        }
        let shrinker = Shrinker(saved.scenario, outcome, onProgress: onProgress)
        guard var shrinker else {
            throw ControlError(
                "the scenario passes: there is nothing to shrink",
                hint: "squall replay \(name)",
                isUsage: true
            )
        }
        shrinker.shrink()
        let seconds = watch.seconds
        if isLive { terminal.writeRaw("\r\u{1B}[K") }
        let small = shrinker.scenario
        let folder = try SavedScenario.save(small, shrinker.outcome, suffix: "-small")
        let report = ScenarioReport(context: self.context)
        if self.context.output.json {
            var members = report.json(shrinker.outcome, small)
            members.append(.init("faults_before", .int(Int64(saved.scenario.faults.count))))
            members.append(.init("orders_before", .int(Int64(saved.scenario.orders))))
            members.append(.init("runs", .int(Int64(shrinker.runs))))
            members.append(.init("seconds", .double(seconds)))
            members.append(.init("scenario", .string("\(folder)/scenario.json")))
            terminal.write(JSONValue.object(members).text)
            return ExitCode.broken
        }
        terminal.write(
            "\(saved.scenario.faults.count) faults and \(saved.scenario.orders) orders shrank to "
                + "\(small.faults.count) and \(small.orders), in \(shrinker.runs) runs and "
                + HumanText.duration(.nanoseconds(Int64(seconds * 1e9))) + ":"
        )
        if small.faults.isEmpty { terminal.write("  no fault is needed") }
        for fault in small.faults { terminal.write("  \(fault)") }
        report.tell(small, replay: folder)
        return ExitCode.broken
    }
}
