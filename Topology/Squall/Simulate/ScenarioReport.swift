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
        -> ScenarioRun.Outcome
    {
        let run = ScenarioRun(scenario, listens: true)
        let outcome = run.run()
        let terminal = self.context.terminal
        let style = terminal.style
        guard let failure = outcome.failure else {
            self.verdict(outcome)
            return outcome
        }
        terminal.write(
            style.red("FAILED") + "  seed \(scenario.seed): " + style.bold(failure.invariant)
                + ": \(failure.summary)"
        )
        for witness in failure.witness { terminal.write("     \(style.dim("\(witness)"))") }
        if showsStory {
            let story = CausalStory(of: run, failure: failure)
            terminal.write(story.title)
            for line in story.lines.suffix(60) {
                terminal.write("  " + (line.contains("⚡") ? style.yellow(line) : line))
            }
        }
        if let replay { terminal.write("squall replay \(replay)") }
        terminal.write("")
        return outcome
    }

    /// Writes the verdict and the hash of a run.
    func verdict(_ outcome: ScenarioRun.Outcome) {
        let terminal = self.context.terminal
        if let verdict = outcome.verdict {
            terminal.writeRaw(verdict.text(color: terminal.style.color))
        }
        if let failure = outcome.failure {
            terminal.write(terminal.style.red("\(failure.invariant): \(failure.summary)"))
        }
        terminal.write(
            "seed \(outcome.seed), run hash \(Hex.text(outcome.hash)), "
                + "\(HumanText.count(outcome.messages)) messages, "
                + "\(outcome.bitten.filter { $0 > 0 }.count) of \(outcome.bitten.count) faults "
                + "bit, \(HumanText.duration(outcome.elapsed)) of virtual time"
        )
    }

    func json(_ outcome: ScenarioRun.Outcome, _ scenario: Scenario) -> [JSONValue.Member] {
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
