import Chaos
import Mesh
import RealWorld

/// `squall run --prove`: plants the bugs that scenarios name, each of which must break them.
///
/// A scenario that no bug breaks proves nothing when it passes, and neither does one that every
/// bug breaks without its faults and operations as well.
struct ProofOfScenarios {
    let context: CommandContext
    let options: RunOptions

    private struct Proof {
        var scenario: String
        var bug: String
        /// The run that failed; nil where none did.
        var run: ScenarioResult.Run?
        var seeds: Int
        /// Whether it passes with the bug where nothing else goes wrong.
        var needsFaults = true
    }

    func run(_ files: [ScenarioFile]) throws(ControlError) -> Int32 {
        var runner = ScenarioRunner(options: self.options)
        let lines = ResultLines(context: self.context, names: files.map(\.name))
        let style = self.context.terminal.style
        let watch = Stopwatch()
        var proofs: [Proof] = []
        var unproved = 0
        for file in files {
            if let obstacle = file.obstacle(in: self.options.world) {
                lines.line(style.dim("–"), file.name, "skipped: \(obstacle)")
                continue
            }
            if file.brokenBy.isEmpty {
                unproved += 1
                lines.line(style.red("✗"), file.name, "names no bug in 'brokenBy'")
            }
            var ofFile: [Proof] = []
            for bug in file.brokenBy where !runner.isInterrupted {
                let proof = try self.prove(file, bug, &runner, lines)
                ofFile.append(proof)
                if proof.run == nil { unproved += 1 }
                self.write(proof, lines)
            }
            proofs += ofFile
            if !ofFile.isEmpty, !ofFile.contains(where: \.needsFaults) {
                unproved += 1
                let text = "no bug needs what goes wrong in it: all break it without"
                lines.line(style.red("✗"), file.name, text)
            }
        }
        let isProved = unproved == 0 && !proofs.isEmpty && !runner.isInterrupted
        if self.context.output.json {
            let json: JSONValue = [
                "proved": .bool(isProved), "seconds": .double(watch.seconds),
                "bugs": .array(proofs.map(Self.json)),
            ]
            self.context.terminal.write(json.text)
        } else {
            let count = proofs.count { $0.run != nil }
            self.context.terminal.write(
                (isProved ? style.green("PROVED") : style.red("NOT PROVED"))
                    + "  \(count) of \(proofs.count) planted bugs broke their scenario, "
                    + HumanText.duration(.nanoseconds(Int64(watch.seconds * 1e9)))
            )
        }
        return isProved ? ExitCode.held : ExitCode.broken
    }

    private func prove(
        _ file: ScenarioFile,
        _ bug: String,
        _ runner: inout ScenarioRunner,
        _ lines: ResultLines
    ) throws(ControlError) -> Proof {
        var planted = file
        planted.flaws.append(bug)
        let count = runner.seedCount(of: file)
        let result = try runner.result(of: planted, stopsAtFailure: true) {
            lines.live(file.name, $0, of: count)
        }
        var proof = Proof(
            scenario: file.name,
            bug: bug,
            run: result.failures.first,
            seeds: result.runs.count
        )
        // One that expects a broken promise needs its faults to break it.
        guard let run = proof.run, file.expects == nil,
            !file.faults.isEmpty || !file.operations.isEmpty
        else { return proof }
        planted.faults = []
        planted.operations = []
        var options = self.options
        (options.seed, options.seedCount) = (run.seed, 1)
        runner.options = options
        defer { runner.options = self.options }
        let alone = try runner.result(of: planted)
        proof.needsFaults = alone.failures.isEmpty
        return proof
    }

    private func write(_ proof: Proof, _ lines: ResultLines) {
        let style = self.context.terminal.style
        guard let run = proof.run else {
            let text = "\(proof.bug) breaks it in none of \(proof.seeds) seeds"
            return lines.line(style.red("✗"), proof.scenario, text)
        }
        let invariant = run.failure?.invariant ?? ""
        let rest = proof.needsFaults ? "" : ", also without its faults"
        let text = "broken by \(proof.bug), seed \(run.seed): \(invariant)\(rest)"
        lines.line(style.green("✓"), proof.scenario, text)
    }

    private static func json(_ proof: Proof) -> JSONValue {
        [
            "scenario": .string(proof.scenario), "bug": .string(proof.bug),
            "seed": proof.run.map { .string(String($0.seed)) } ?? .null,
            "invariant": proof.run?.failure.map { .string($0.invariant) } ?? .null,
            "seeds": .int(Int64(proof.seeds)), "needs_faults": .bool(proof.needsFaults),
        ]
    }
}
