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
            var members: [JSONValue.Member] = [
                .init("runs", .int(Int64(runs))), .init("distinct", .int(Int64(distinct))),
                .init("different", .array(different.map { .string(String($0)) })),
                .init("seconds", .double(watch.seconds)),
            ]
            let part = different.first.flatMap { self.part(draw, $0) }
            if let part { members.append(.init("first_difference", part.json)) }
            self.context.terminal.write(JSONValue.object(members).text)
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
        guard let part = self.part(draw, seed) else {
            return terminal.write("the events are equal: messages or their times differ")
        }
        let (difference, names) = (part.difference, part.names)
        terminal.write("the first event that differs, number \(difference.number), \(names):")
        for line in [difference.left, difference.right] { terminal.write("  \(line ?? "nothing")") }
    }

    /// Where the runs of a seed part, and which they are.
    private struct Part {
        var seed: UInt64
        var names: String
        var difference: RunDifference

        var json: JSONValue {
            [
                "seed": .string(String(self.seed)), "between": .string(self.names),
                "number": .int(Int64(self.difference.number)),
                "left": self.difference.left.map { .string($0) } ?? .null,
                "right": self.difference.right.map { .string($0) } ?? .null,
            ]
        }
    }

    /// Runs a seed again, here twice and in the other process; nil where the events are equal.
    private func part(_ draw: ScenarioDraw, _ seed: UInt64) -> Part? {
        let here = Self.events(draw.scenario(seed: seed))
        let again = Self.events(draw.scenario(seed: seed))
        if let difference = RunDifference(here, again) {
            return Part(seed: seed, names: "here and here again", difference: difference)
        }
        guard let pipe = try? self.startOther(["--events", "--json"], seed) else { return nil }
        let there = Self.readLines(pipe)
        pclose(pipe)
        return RunDifference(here, there).map {
            Part(seed: seed, names: "here and there", difference: $0)
        }
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
