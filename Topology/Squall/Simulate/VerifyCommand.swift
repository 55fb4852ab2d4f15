import Chaos
import Glibc
import Mesh
import RealWorld
import SimulatedWorld

/// `squall sim --verify`: each seed twice here and once in another process; all must be equal.
struct VerifyCommand {
    let context: CommandContext
    let options: SimOptions

    func run(_ draw: ScenarioDraw, _ seed: UInt64) throws(ControlError) -> Int32 {
        let runs = self.options.runs ?? 100
        let watch = Stopwatch()
        // The other process runs while this one does.
        let other = try self.startOther(["--hashes", "--runs", String(runs)], seed)
        let first = self.hashes(draw, seed, runs, threads: SimCommand.threads(self.options.threads))
        let second = self.hashes(draw, seed, runs, threads: 1)
        let elsewhere = Self.readLines(other)
        let isReadable = pclose(other) == 0 && elsewhere.count == runs
        var different: [UInt64] = []
        for index in 0..<runs {
            let line = isReadable ? elsewhere[index] : ""
            let expected = "\(seed &+ UInt64(index)) \(Hex.text(first[index]))"
            if first[index] != second[index] || line != expected {
                different.append(seed &+ UInt64(index))
            }
        }
        guard isReadable else {
            throw ControlError(
                "the other process gave \(elsewhere.count) of \(runs) hashes; does "
                    + "\(self.program) know 'sim --hashes'?"
            )
        }
        let distinct = Set(first).count
        if self.context.output.json {
            let result: JSONValue = [
                "runs": .int(Int64(runs)), "distinct": .int(Int64(distinct)),
                "different": .array(different.map { .string(String($0)) }),
                "seconds": .double(watch.seconds),
            ]
            self.context.terminal.write(result.text)
        } else {
            self.report(runs, distinct, different, draw, seconds: watch.seconds)
        }
        return different.isEmpty ? ExitCode.held : ExitCode.broken
    }

    private func report(
        _ runs: Int,
        _ distinct: Int,
        _ different: [UInt64],
        _ draw: ScenarioDraw,
        seconds: Double
    ) {
        let terminal = self.context.terminal
        guard let seed = different.first else {
            terminal.write(
                terminal.style.green("EQUAL") + " \(HumanText.count(runs)) seeds, each twice here "
                    + "and once in another process; \(HumanText.count(distinct)) different "
                    + "hashes, \(HumanText.duration(.nanoseconds(Int64(seconds * 1e9))))"
            )
            return
        }
        terminal.write(
            terminal.style.red("DIFFERENT") + " \(different.count) of \(runs) seeds, the first "
                + "is \(seed)"
        )
        let here = Self.events(draw.scenario(seed: seed))
        let again = Self.events(draw.scenario(seed: seed))
        if self.tellDifference(here, again, "here and here again") { return }
        guard let pipe = try? self.startOther(["--events", "--json"], seed) else { return }
        let there = Self.readLines(pipe)
        pclose(pipe)
        if !self.tellDifference(here, there, "here and there") {
            terminal.write("the events are equal: messages or their times differ")
        }
    }

    private func tellDifference(_ left: [String], _ right: [String], _ names: String) -> Bool {
        let count = max(left.count, right.count)
        for index in 0..<count {
            let one = index < left.count ? left[index] : "nothing"
            let two = index < right.count ? right[index] : "nothing"
            guard one != two else { continue }
            self.context.terminal.write(
                "the first event that differs, number \(index + 1), \(names):"
            )
            self.context.terminal.write("  \(one)\n  \(two)")
            return true
        }
        return false
    }

    private static func events(_ scenario: Scenario) -> [String] {
        let run = ScenarioRun(scenario)
        _ = run.run()
        return run.records().flatMap(\.events).map { EventText.json($0, layout: run.layout).text }
    }

    private func hashes(
        _ draw: ScenarioDraw,
        _ seed: UInt64,
        _ runs: Int,
        threads: Int
    ) -> [UInt64] {
        let collected = HashList(count: runs)
        let search = SeedSearch(draw, from: seed, runs: runs) { _, outcome in
            collected.set(Int(outcome.seed &- seed), outcome.hash)
        }
        search.run(threads: threads) {
            usleep(5000)
            return true
        }
        return collected.hashes
    }

    private var program: String {
        self.options.other ?? "\(FileSystem.executableFolder())/squall"
    }

    private func startOther(
        _ words: [String],
        _ seed: UInt64
    ) throws(ControlError) -> UnsafeMutablePointer<FILE> {
        let options = self.options
        var line = [self.program, "sim"]
        if let file = options.file { line.append(file) }
        line += words + ["--seed", String(seed), "--orders", String(options.orders)]
        line += ["--faults", String(options.faults)]
        for flaw in options.flaws { line += ["--bug", flaw] }
        for name in options.exceptions.sorted() { line += ["--without", name] }
        if let strategy = options.strategy { line += ["--strategy", strategy.rawValue] }
        if options.isPlain { line.append("--plain") }
        let quoted = line.map { "'" + $0.split(separator: "'").joined(separator: "'\\''") + "'" }
        fflush(nil)
        guard let pipe = popen(quoted.joined(separator: " "), "r") else {
            throw ControlError("cannot start \(self.program)")
        }
        return pipe
    }

    private static func readLines(_ pipe: UnsafeMutablePointer<FILE>) -> [String] {
        var lines: [String] = []
        var buffer: UnsafeMutablePointer<CChar>?
        var size = 0
        while getline(&buffer, &size, pipe) > 0 {
            guard let buffer else { break }
            lines.append(String(String(cString: buffer).dropLast()))
        }
        free(buffer)
        return lines
    }
}
