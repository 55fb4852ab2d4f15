import Chaos
import Glibc
import Mesh
import RealWorld
import ServiceKit
import SimulatedWorld

/// The bugs that can be planted, and how soon each is found.
struct BugTable {
    let context: CommandContext

    /// Says which bugs there are.
    func list() -> Int32 {
        let terminal = self.context.terminal
        if self.context.output.json {
            let bugs = Flaw.allCases.map { flaw -> JSONValue in
                [
                    "name": .string(flaw.rawValue), "place": .string(flaw.place),
                    "summary": .string(flaw.summary),
                ]
            }
            terminal.write(JSONValue.array(bugs).text)
            return ExitCode.held
        }
        let width = Flaw.allCases.map(\.rawValue.count).max() ?? 0
        for flaw in Flaw.allCases {
            terminal.write(
                HumanText.padded(flaw.rawValue, width + 2) + HumanText.padded(flaw.place, 15)
                    + flaw.summary
            )
        }
        self.context.hint("squall sim --bug NAME plants one; squall sim --bugs hunts all of them")
        return ExitCode.held
    }

    /// What a strategy needed to find a bug.
    private struct Hunt {
        /// How many seeds were run until one failed; nil where none did.
        var seeds: Int?
        var seconds: Double
        /// The promise that was broken.
        var invariant: String?

        var json: JSONValue {
            [
                "seeds": self.seeds.map { .int(Int64($0)) } ?? .null,
                "seconds": .double(self.seconds),
                "invariant": self.invariant.map { .string($0) } ?? .null,
            ]
        }
    }

    /// Plants each bug in turn and runs seeds until it is found, by each strategy.
    func hunt(_ draw: ScenarioDraw, _ seed: UInt64, _ options: SimOptions) -> Int32 {
        let names = options.flaws.isEmpty ? Flaw.allCases.map(\.rawValue) : options.flaws
        let strategies = options.strategy.map { [$0] } ?? Scenario.Strategy.allCases
        let width = names.map(\.count).max() ?? 0
        if !self.context.output.json { self.writeHead(strategies, width, draw.exceptions.sorted()) }
        var needFaults = 0
        var missed = 0
        var found = [Int](repeating: 0, count: strategies.count)
        var seconds = [Double](repeating: 0, count: strategies.count)
        var rows: [JSONValue] = []
        for name in names {
            var draw = draw
            draw.flaws = [name]
            var hunts: [Hunt] = []
            for (index, strategy) in strategies.enumerated() {
                draw.strategy = strategy
                let hunt = Self.first(draw, seed, options.runs ?? 2000, options)
                hunts.append(hunt)
                seconds[index] += hunt.seconds
                if hunt.seeds != nil { found[index] += 1 }
            }
            draw.faultCount = 0
            draw.strategy = options.strategy
            let calm = Self.first(draw, seed, min(options.runs ?? 100, 100), options)
            let isFound = hunts.contains { $0.seeds != nil }
            if !isFound { missed += 1 }
            if isFound, calm.seeds == nil { needFaults += 1 }
            rows.append(self.row(name, strategies, hunts, calm))
            if !self.context.output.json { self.write(name, hunts, calm, width) }
        }
        if self.context.output.json {
            let totals = zip(strategies, zip(found, seconds)).map { strategy, total in
                JSONValue.Member(
                    strategy.rawValue,
                    ["found": .int(Int64(total.0)), "seconds": .double(total.1)]
                )
            }
            let result: JSONValue = [
                "bugs": .array(rows), "found": .int(Int64(names.count - missed)),
                "need_faults": .int(Int64(needFaults)), "strategies": .object(totals),
                "without": .array(draw.exceptions.sorted().map { .string($0) }),
            ]
            self.context.terminal.write(result.text)
        } else {
            for (strategy, total) in zip(strategies, zip(found, seconds)) {
                self.context.terminal.write(
                    "\(strategy.rawValue): \(total.0) of \(names.count) found in "
                        + HumanText.duration(.nanoseconds(Int64(total.1 * 1e9)))
                )
            }
            self.context.terminal.write("\(needFaults) of them need faults")
        }
        return missed == 0 ? ExitCode.held : ExitCode.broken
    }

    private func writeHead(_ strategies: [Scenario.Strategy], _ width: Int, _ without: [String]) {
        let style = self.context.terminal.style
        if !without.isEmpty {
            self.context.terminal.write("not judged: \(without.joined(separator: ", "))")
        }
        var head = HumanText.padded("bug", width + 2)
        for strategy in strategies {
            head += HumanText.padded(left: strategy.rawValue, 8) + HumanText.padded(left: "s", 7)
        }
        head += HumanText.padded(left: "faultless", 11) + "  found by"
        self.context.terminal.write(style.bold(head))
    }

    private func write(_ name: String, _ hunts: [Hunt], _ calm: Hunt, _ width: Int) {
        let style = self.context.terminal.style
        var line = HumanText.padded(name, width + 2)
        for hunt in hunts {
            line += HumanText.padded(left: hunt.seeds.map(String.init) ?? "–", 8)
            let hundredths = Int(hunt.seconds * 100)
            let digits = "\(hundredths / 10 % 10)\(hundredths % 10)"
            line += HumanText.padded(left: "\(hundredths / 100).\(digits)", 7)
        }
        line += HumanText.padded(left: calm.seeds.map(String.init) ?? "never", 11)
        let invariant = hunts.compactMap(\.invariant).first
        self.context.terminal.write(line + "  " + (invariant ?? style.red("not found")))
    }

    private func row(
        _ name: String,
        _ strategies: [Scenario.Strategy],
        _ hunts: [Hunt],
        _ calm: Hunt
    ) -> JSONValue {
        var members = [JSONValue.Member("bug", .string(name))]
        members += zip(strategies, hunts).map { .init($0.rawValue, $1.json) }
        members.append(
            .init("seeds_without_faults", calm.seeds.map { .int(Int64($0)) } ?? .null)
        )
        return .object(members)
    }

    /// Runs seeds until one fails, at most `limit`.
    private static func first(
        _ draw: ScenarioDraw,
        _ seed: UInt64,
        _ limit: Int,
        _ options: SimOptions
    ) -> Hunt {
        let watch = Stopwatch()
        let search = SeedSearch(draw, from: seed, runs: limit, stopsAtFailure: true)
        search.run(threads: SimCommand.threads(options.threads)) {
            usleep(2000)
            return true
        }
        let found = search.progress.failures.first
        return Hunt(
            seeds: found.map { Int($0.seed &- seed) + 1 },
            seconds: watch.seconds,
            invariant: found?.failure?.invariant
        )
    }
}
