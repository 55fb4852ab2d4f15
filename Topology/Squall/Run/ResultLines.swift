import Chaos
import RealWorld

/// Writes a line for each scenario while they run, and one for all of them.
struct ResultLines {
    let context: CommandContext
    private let width: Int

    init(context: CommandContext, names: [String]) {
        self.context = context
        self.width = names.map(\.count).max() ?? 0
    }

    private var isLive: Bool {
        self.context.terminal.isInteractive && self.context.output.isChatty
    }

    /// Shows how far a scenario has come, where somebody watches.
    func live(_ name: String, _ runs: Int, of count: Int) {
        guard self.isLive else { return }
        let dim = self.context.terminal.style.dim("\(runs) of \(count)")
        self.context.terminal.writeRaw("\r\u{1B}[K  \(self.padded(name))  \(dim)")
    }

    private func padded(_ name: String) -> String { HumanText.padded(name, self.width) }

    /// Writes what came of a scenario.
    func write(_ result: ScenarioResult, seconds: Double) {
        let style = self.context.terminal.style
        let runs = result.runs.count
        let seeds = runs == 1 ? "1 seed" : "\(HumanText.count(runs)) seeds"
        let time = style.dim(HumanText.duration(.nanoseconds(Int64(seconds * 1e9))))
        switch result.outcome {
        case .passed:
            self.line(style.green("✓"), result.name, "\(seeds), \(time)")
        case .failed:
            let failures = result.failures
            let first = failures.first?.failure?.invariant ?? ""
            let some = failures.count == runs ? seeds : "\(failures.count) of \(seeds)"
            self.line(style.red("✗"), result.name, "\(some) failed: \(first), \(time)")
        case .unknown:
            self.line(style.yellow("?"), result.name, "\(seeds), \(time)")
            guard !self.context.output.json else { return }
            for doubt in result.doubts {
                self.context.terminal.write(style.yellow("    \(doubt)"))
            }
        case .skipped:
            self.line(style.dim("–"), result.name, "skipped: \(result.obstacle ?? "")")
        }
    }

    /// Writes a line of a scenario: mark, name, and what there is to say.
    func line(_ mark: String, _ name: String, _ text: String) {
        guard !self.context.output.json else { return }
        if self.isLive { self.context.terminal.writeRaw("\r\u{1B}[K") }
        self.context.terminal.write("\(mark) \(self.padded(name))  \(text)")
    }

    /// Writes what came of all of them.
    func summary(
        _ results: [ScenarioResult],
        isPassed: Bool,
        notRun: Int,
        seconds: Double
    ) {
        let style = self.context.terminal.style
        let counts = ScenarioResult.Outcome.allCases.compactMap { outcome -> String? in
            let count = results.count { $0.outcome == outcome }
            return count > 0 ? "\(count) \(outcome.rawValue)" : nil
        }
        let isFailed = results.contains { $0.outcome == .failed }
        let word =
            isPassed
            ? style.green("PASSED") : isFailed ? style.red("FAILED") : style.yellow("UNKNOWN")
        let runs = results.reduce(0) { $0 + $1.runs.count }
        let rest = notRun > 0 ? ", \(notRun) not run" : ""
        self.context.terminal.write(
            "\(word)  \(counts.joined(separator: ", "))\(rest); \(HumanText.count(runs)) runs in "
                + HumanText.duration(.nanoseconds(Int64(seconds * 1e9)))
        )
    }
}
