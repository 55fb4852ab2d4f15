import Glibc
import RealWorld

/// What every command needs: where it writes, and how.
struct CommandContext {
    let terminal: Terminal
    let output: OutputOptions
    /// The run that was asked for.
    let run: String?

    /// The runs of the nearest `.squall` folder.
    var runs: RunList { RunList.nearest(to: Self.workingFolder) }

    static var workingFolder: String { FileSystem.absolute(".") ?? "." }

    /// The run to read from: the one asked for, else the only live one, else the latest.
    func readableRun() throws(ControlError) -> RunList.Run {
        if let run = self.run { return try self.runs.run(named: run) }
        let runs = self.runs.runs
        let live = runs.filter(\.isLive)
        if live.count > 1 { return try self.runs.liveRun(named: nil) }
        if let run = live.first ?? runs.last { return run }
        return try self.runs.run(named: "latest")
    }

    /// Writes a line that says what to try next, where that is wanted.
    func hint(_ text: String) {
        guard self.output.isChatty else { return }
        self.terminal.write(self.terminal.style.dim("hint: \(text)"))
    }
}
