import Chaos
import RealWorld
import SimulatedWorld
import Synchronization

/// Runs one scenario after the other, each under its seeds, in one world.
struct ScenarioRunner {
    var options: RunOptions
    private var interrupts = InterruptWatch()
    /// Whether somebody has asked it to end.
    var isInterrupted = false

    init(options: RunOptions) {
        self.options = options
    }

    /// Collects what the threads have found.
    private final class Collector: Sendable {
        let result: Mutex<ScenarioResult>

        init(_ result: ScenarioResult) {
            self.result = Mutex(result)
        }
    }

    /// Runs a scenario under its seeds, or until the first failure where that is enough; `onPause`
    /// is called now and then with the number of runs so far.
    mutating func result(
        of file: ScenarioFile,
        stopsAtFailure: Bool = false,
        onPause: (Int) -> Void = { _ in }
    ) throws(ControlError) -> ScenarioResult {
        let result = ScenarioResult(of: file, in: self.options.world)
        guard result.obstacle == nil else { return result }
        guard self.options.world == .simulated else {
            return try self.realResult(
                of: file,
                stopsAtFailure: stopsAtFailure,
                onPause: onPause
            )
        }
        let collector = Collector(result)
        let search = SeedSearch(
            file,
            from: self.firstSeed(of: file),
            runs: self.seedCount(of: file),
            stopsAtFailure: stopsAtFailure
        ) { scenario, outcome in
            collector.result.withLock { $0.add(outcome, of: scenario) }
        }
        var interrupts = self.interrupts
        var isInterrupted = self.isInterrupted
        search.run(threads: SimCommand.threads(self.options.threads)) {
            if interrupts.comes(within: 10) { isInterrupted = true }
            onPause(search.progress.runs)
            return !isInterrupted
        }
        self.isInterrupted = isInterrupted
        return collector.result.withLock { $0 }
    }

    /// The first seed that a scenario runs under.
    func firstSeed(of file: ScenarioFile) -> UInt64 { self.options.seed ?? file.seed ?? 1 }

    /// How many seeds a scenario runs under.
    func seedCount(of file: ScenarioFile) -> Int {
        if let count = self.options.seedCount { return count }
        if self.options.seed != nil || file.seed != nil { return 1 }
        return self.options.world == .real ? 1 : file.seedCount
    }
}
