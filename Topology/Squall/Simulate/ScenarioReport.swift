import Chaos
import Mesh
import RealWorld
import SimulatedWorld

/// Writes what came of a simulated run: the verdict, the witness, the story, how to see it again.
struct ScenarioReport {
    let context: CommandContext

    /// Runs a scenario again, listening, and tells what happened.
    @discardableResult
    func tell(
        _ scenario: Scenario,
        replay: String?,
        showsStory: Bool = true
    )
        -> ScenarioOutcome
    {
        let run = ScenarioRun(scenario, listens: true)
        let outcome = run.run().judged(by: scenario)
        self.tell(run, outcome, replay: replay, showsStory: showsStory)
        return outcome
    }

    /// Tells what happened in a run that listened.
    func tell(
        _ run: ScenarioRun,
        _ outcome: ScenarioOutcome,
        replay: String?,
        showsStory: Bool = true
    ) {
        guard let story = FailureStory(of: run, outcome) else { return self.verdict(outcome) }
        self.write(story, of: "", showsStory: showsStory)
        if let replay { self.context.terminal.write("squall replay \(replay)") }
        self.context.terminal.write("")
    }

    /// Writes what was broken in a run of the scenario `name`, and the story of it.
    func write(_ story: FailureStory, of name: String, showsStory: Bool = true) {
        let terminal = self.context.terminal
        let style = terminal.style
        terminal.write(
            style.red("FAILED") + "  " + (name.isEmpty ? "" : name + ", ")
                + "seed \(story.seed): " + style.bold(story.failure.invariant)
                + ": \(story.failure.summary)"
        )
        for witness in story.failure.witness { terminal.write("     \(style.dim("\(witness)"))") }
        guard showsStory else { return }
        terminal.write(story.title)
        for line in story.lines {
            terminal.write("  " + (line.contains("⚡") ? style.yellow(line) : line))
        }
    }

    /// Writes the verdict and the hash of a run.
    func verdict(_ outcome: ScenarioOutcome) {
        let terminal = self.context.terminal
        if let verdict = outcome.verdict {
            terminal.writeRaw(verdict.text(color: terminal.style.color))
        }
        if let failure = outcome.failure {
            terminal.write(terminal.style.red("\(failure.invariant): \(failure.summary)"))
        }
        if let expected = outcome.expected {
            terminal.write(
                terminal.style.green("as expected, \(expected.invariant)") + ": "
                    + expected.summary
            )
        }
        terminal.write(
            "seed \(outcome.seed), run hash \(Hex.text(outcome.hash)), "
                + "\(HumanText.count(outcome.messages)) messages, "
                + "\(outcome.bitten.filter { $0 > 0 }.count) of \(outcome.bitten.count) faults "
                + "bit, \(HumanText.duration(outcome.elapsed)) of virtual time"
        )
    }

    func json(_ outcome: ScenarioOutcome, _ scenario: Scenario) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("seed", .string(String(outcome.seed))),
            .init("run_hash", .string(Hex.text(outcome.hash))),
            .init("outcome", .string(outcome.hasPassed ? "passed" : "failed")),
            .init("orders", .int(Int64(scenario.orders))),
            .init("faults", .array(scenario.faults.map { .string("\($0)") })),
            .init("bitten", .array(outcome.bitten.map { .int(Int64($0)) })),
            .init("simulated_messages", .int(Int64(outcome.messages))),
        ]
        if let failure = outcome.failure {
            members.append(.init("invariant", .string(failure.invariant)))
            members.append(.init("summary", .string(failure.summary)))
            members.append(.init("witness", .array(failure.witness.map(\.json))))
        }
        return members
    }
}
