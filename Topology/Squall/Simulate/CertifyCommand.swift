import Chaos
import Mesh
import RealWorld
import SimulatedWorld
import TopologyFile

/// `squall certify`: every single fault at every place of a run, and every pair of them.
struct CertifyCommand {
    let context: CommandContext
    let options: CertifyOptions

    func run() throws(ControlError) -> Int32 {
        if let error = RunningTopology.unknownFlaw(self.options.flaws) { throw error }
        let certifier = Certifier(try self.scenario())
        let good = certifier.goodRun()
        if let failure = good.outcome.failure {
            self.context.terminal.complain(
                "the run breaks a promise without any fault: \(failure.invariant): "
                    + failure.summary,
                hint: nil
            )
            return ExitCode.broken
        }
        if !self.options.only.isEmpty { return try self.tell(certifier, good) }
        let singles = self.singles(certifier, good)
        var pairs: Certifier.Result?
        if self.options.hasPairs { pairs = self.pairs(certifier, good) }
        self.report(certifier.scenario, good, singles, pairs)
        let broken = singles.broken.count + (pairs?.broken.count ?? 0)
        return broken == 0 ? ExitCode.held : ExitCode.broken
    }

    /// The scenario to certify: a file's without its faults, or the topology's alone.
    private func scenario() throws(ControlError) -> Scenario {
        var scenario: Scenario
        if let file = self.options.file, try !Self.isTopology(file) {
            let read = try ScenarioFolder.read(file)
            try SimCommand.check(read.topology, file)
            scenario = read.scenario(seed: self.options.seed ?? read.seed ?? 1)
        } else {
            let path = try TopologyCommands.path(self.options.file)
            let topology = try TopologyCommands.topology(path)
            try SimCommand.check(topology, path)
            scenario = Scenario(topology: topology, orders: 1, seed: self.options.seed ?? 1)
            scenario.name = topology.name
        }
        scenario.orders = self.options.orders
        scenario.flaws += self.options.flaws
        return scenario
    }

    /// Whether a file is a topology, which alone will do, and no scenario.
    private static func isTopology(_ file: String) throws(ControlError) -> Bool {
        do {
            let root = try JSONParser.parse(try FileSystem.readText(file), dialect: .json5).value
            return root["services"] != nil && root["topology"] == nil
        } catch is JSONError {
            return false
        } catch {
            throw ControlError("\(error)", hint: "squall help certify", isUsage: true)
        }
    }

    private var threads: Int { SimCommand.threads(self.options.threads) }

    // MARK: Trying

    private func singles(_ certifier: Certifier, _ good: PlacedRun) -> Certifier.Result {
        let placements = good.placements
        let failures = WorldThreads.map(
            placements.count,
            threads: self.threads,
            onPause: { self.progress("single faults", $0, of: placements.count) },
            { certifier.run([placements[$0]]).outcome.failure }
        )
        return certifier.singles(placements, failures)
    }

    private func pairs(_ certifier: Certifier, _ good: PlacedRun) -> Certifier.Result {
        let placements = good.placements
        let firsts = Certifier.distinct(placements)
        let parts = WorldThreads.map(
            firsts.count,
            threads: self.threads,
            onPause: { self.progress("first faults of pairs", $0, of: firsts.count) },
            { certifier.pairs(placements, firsts[$0].index, stands: firsts[$0].stands) }
        )
        var result = Certifier.Result()
        for part in parts {
            result.tried += part.tried
            result.all += part.all
            result.broken += part.broken
        }
        if self.isLive { self.context.terminal.writeRaw("\r\u{1B}[K") }
        return result
    }

    private var isLive: Bool {
        self.context.terminal.isInteractive && self.context.output.isChatty
    }

    private func progress(_ what: String, _ done: Int, of all: Int) {
        guard self.isLive else { return }
        self.context.terminal.writeRaw("\r\u{1B}[K\(done) of \(all) \(what)")
    }

    // MARK: Telling

    private func report(
        _ scenario: Scenario,
        _ good: PlacedRun,
        _ singles: Certifier.Result,
        _ pairs: Certifier.Result?
    ) {
        let terminal = self.context.terminal
        if self.isLive { terminal.writeRaw("\r\u{1B}[K") }
        if self.context.output.json {
            var members: [JSONValue.Member] = [
                .init("scenario", .string(scenario.name)),
                .init("seed", .string(String(scenario.seed))),
                .init("orders", .int(Int64(scenario.orders))),
                .init("run_hash", .string(Hex.text(good.outcome.hash))),
                .init("singles", Self.json(singles)),
            ]
            if let pairs { members.append(.init("pairs", Self.json(pairs))) }
            return terminal.write(JSONValue.object(members).text)
        }
        terminal.write(
            "\(scenario.name), \(scenario.orders) \(scenario.orders == 1 ? "order" : "orders") "
                + "of seed \(scenario.seed), run hash \(Hex.text(good.outcome.hash))"
        )
        for broken in singles.broken.prefix(20) { self.write(broken) }
        let held = HumanText.count(singles.tried - singles.broken.count)
        self.write(
            "\(held) of \(HumanText.count(singles.tried)) single faults hold",
            isGood: singles.broken.isEmpty
        )
        guard let pairs else {
            return self.context.hint("squall certify --pairs tries all pairs of faults as well")
        }
        for broken in pairs.broken.prefix(20) { self.write(broken) }
        let heldPairs = HumanText.count(pairs.tried - pairs.broken.count)
        self.write(
            "\(heldPairs) of \(HumanText.count(pairs.tried)) distinct pairs of faults hold, "
                + "which stand for \(HumanText.count(pairs.all))",
            isGood: pairs.broken.isEmpty
        )
    }

    private func write(_ line: String, isGood: Bool) {
        let style = self.context.terminal.style
        self.context.terminal.write(isGood ? style.green(line) : style.red(line))
    }

    private func write(_ broken: Certifier.Broken) {
        let terminal = self.context.terminal
        terminal.write(
            terminal.style.red("broken") + "  "
                + broken.placements.map(\.text).joined(separator: "; then ")
        )
        terminal.write("        \(broken.failure.invariant): \(broken.failure.summary)")
        let numbers = broken.numbers.map(String.init).joined(separator: ",")
        terminal.write("        squall certify\(self.arguments) --only \(numbers)")
    }

    /// What this certificate was asked for with, so that a line can be copied.
    private var arguments: String {
        var text = self.options.file.map { " \($0)" } ?? ""
        if self.options.orders != 1 { text += " --orders \(self.options.orders)" }
        if let seed = self.options.seed { text += " --seed \(seed)" }
        for flaw in self.options.flaws { text += " --bug \(flaw)" }
        return text
    }

    private static func json(_ result: Certifier.Result) -> JSONValue {
        let broken = result.broken.map { broken -> JSONValue in
            [
                "numbers": .array(broken.numbers.map { .int(Int64($0)) }),
                "faults": .array(broken.placements.map { .string($0.text) }),
                "invariant": .string(broken.failure.invariant),
                "summary": .string(broken.failure.summary),
            ]
        }
        return [
            "tried": .int(Int64(result.tried)), "all": .int(Int64(result.all)),
            "broken": .array(broken),
        ]
    }

    /// Runs the faults of some numbers again and tells what happens.
    private func tell(_ certifier: Certifier, _ good: PlacedRun) throws(ControlError) -> Int32 {
        var chosen: [Placement] = []
        var run = good
        for number in self.options.only {
            guard (1...max(1, run.placements.count)).contains(number), !run.placements.isEmpty
            else {
                throw ControlError(
                    "there is no fault \(number): they are 1 to \(run.placements.count)",
                    hint: "squall certify\(self.arguments)",
                    isUsage: true
                )
            }
            chosen.append(run.placements[number - 1])
            run = certifier.run(chosen, listens: true)
        }
        let terminal = self.context.terminal
        for placement in chosen { terminal.write("⚡ \(placement.text)") }
        ScenarioReport(context: self.context).tell(run.run, run.outcome, replay: nil)
        return run.outcome.hasPassed ? ExitCode.held : ExitCode.broken
    }
}
