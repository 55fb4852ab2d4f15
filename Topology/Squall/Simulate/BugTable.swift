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

    /// Plants each bug in turn and runs seeds until it is found.
    func hunt(_ draw: ScenarioDraw, _ seed: UInt64, _ options: SimOptions) -> Int32 {
        let names = options.flaws.isEmpty ? Flaw.allCases.map(\.rawValue) : options.flaws
        let limit = options.runs ?? 2000
        let threads = SimCommand.threads(options.threads)
        let terminal = self.context.terminal
        let width = names.map(\.count).max() ?? 0
        if !self.context.output.json {
            terminal.write(
                terminal.style.bold(
                    HumanText.padded("bug", width + 2) + HumanText.padded(left: "seeds", 7)
                        + HumanText.padded(left: "seconds", 9)
                        + HumanText.padded(left: "faultless", 11) + "  found by"
                )
            )
        }
        var missed = 0
        var needFaults = 0
        var total = 0.0
        var rows: [JSONValue] = []
        for name in names {
            let watch = Stopwatch()
            var draw = draw
            draw.flaws = [name]
            let found = Self.first(draw, seed, limit, threads)
            let seconds = watch.seconds
            total += seconds
            draw.faultCount = 0
            let calm = Self.first(draw, seed, min(limit, 100), threads)
            if found == nil { missed += 1 }
            if found != nil, calm == nil { needFaults += 1 }
            let seeds = found.map { Int($0.seed &- seed) + 1 }
            let calmSeeds = calm.map { Int($0.seed &- seed) + 1 }
            rows.append([
                "bug": .string(name), "seeds": seeds.map { .int(Int64($0)) } ?? .null,
                "seconds": .double(seconds),
                "seeds_without_faults": calmSeeds.map { .int(Int64($0)) } ?? .null,
                "invariant": found?.failure.map { .string($0.invariant) } ?? .null,
            ])
            if self.context.output.json { continue }
            let tenths = Int(seconds * 100)
            terminal.write(
                HumanText.padded(name, width + 2)
                    + HumanText.padded(left: seeds.map(String.init) ?? "–", 7)
                    + HumanText.padded(
                        left: "\(tenths / 100).\(tenths / 10 % 10)\(tenths % 10)",
                        9
                    ) + HumanText.padded(left: calmSeeds.map(String.init) ?? "never", 11)
                    + "  " + (found?.failure?.invariant ?? terminal.style.red("not found"))
            )
        }
        if self.context.output.json {
            let result: JSONValue = [
                "bugs": .array(rows), "found": .int(Int64(names.count - missed)),
                "need_faults": .int(Int64(needFaults)), "seconds": .double(total),
            ]
            terminal.write(result.text)
        } else {
            terminal.write(
                "\(names.count - missed) of \(names.count) found in "
                    + HumanText.duration(.nanoseconds(Int64(total * 1e9)))
                    + "; \(needFaults) of them need faults"
            )
        }
        return missed == 0 ? ExitCode.held : ExitCode.broken
    }

    /// Returns the failed run with the lowest seed, where one of the first `limit` fails.
    private static func first(
        _ draw: ScenarioDraw,
        _ seed: UInt64,
        _ limit: Int,
        _ threads: Int
    ) -> ScenarioOutcome? {
        let search = SeedSearch(draw, from: seed, runs: limit, stopsAtFailure: true)
        search.run(threads: threads) {
            usleep(2000)
            return true
        }
        return search.progress.failures.first
    }
}
