import Chaos
import Mesh
import RealWorld

/// `squall runs`: the runs that are kept.
struct RunsCommand {
    let context: CommandContext

    func run() -> Int32 {
        let list = self.context.runs
        let runs = list.runs
        if self.context.output.json {
            for run in runs { self.context.terminal.write(self.json(run).text) }
            return ExitCode.held
        }
        guard !runs.isEmpty else {
            self.context.terminal.write("no runs in \(list.root)")
            self.context.hint("squall up starts one")
            return ExitCode.held
        }
        let width = runs.map(\.id.count).max() ?? 0
        let style = self.context.terminal.style
        for run in runs {
            let state = Self.state(run)
            let text = HumanText.padded(state, 8)
            let tinted =
                switch state {
                case "live", "passed": style.green(text)
                case "failed", "unknown": style.red(text)
                default: style.yellow(text)
                }
            let pid = run.isLive ? run.record.map { "pid \($0.pid)" } ?? "" : ""
            self.context.terminal.write("\(HumanText.padded(run.id, width))  \(tinted)  \(pid)")
        }
        self.context.hint("squall check RUN judges one again, squall events --run RUN reads it")
        return ExitCode.held
    }

    private func json(_ run: RunList.Run) -> JSONValue {
        [
            "id": .string(run.id), "folder": .string(run.path),
            "state": .string(Self.state(run)),
            "pid": run.isLive ? run.record.map { .int(Int64($0.pid)) } ?? .null : .null,
            "topology": run.record.map { .string($0.topology) } ?? .null,
        ]
    }

    /// `live`, what its verdict says, or `died` where it ended without one.
    private static func state(_ run: RunList.Run) -> String {
        if run.isLive { return "live" }
        guard let text = try? FileSystem.readText("\(run.path)/\(RunFolder.Name.verdict)"),
            let json = try? JSONValue(parsing: text)
        else { return "died" }
        return json["verdict"]?.string ?? "judged"
    }
}
