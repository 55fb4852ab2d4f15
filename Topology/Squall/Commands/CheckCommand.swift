import Chaos
import Mesh
import RealWorld

/// `squall check`: judges a run from its folder alone.
struct CheckCommand {
    let context: CommandContext
    let name: String?

    func run() throws(ControlError) -> Int32 {
        let run = try self.context.runs.run(named: self.name ?? self.context.run ?? "latest")
        guard !run.isLive else {
            throw ControlError(
                "\(run.id) is still running; it is judged when it ends",
                hint: "squall ps --run \(run.id)",
                isUsage: true
            )
        }
        var archive = try RunArchive(folder: run.path)
        guard archive.isComplete else {
            throw ControlError(
                "retention has removed the beginning of the log of \(run.id), so it cannot be "
                    + "judged again; when it ran it was: \(self.earlier(run) ?? "not judged")",
                hint: "squall events --run \(run.id)"
            )
        }
        let judge = archive.judge
        try archive.readAll { judge.observe($0) }
        let verdict: Verdict
        do {
            verdict = judge.finish(
                ledgers: try LedgerReader.ledgers(of: run.path, topology: archive.topology)
            )
        } catch {
            throw ControlError("the ledgers of \(run.id) cannot be read: \(error)")
        }
        let earlier = self.earlier(run)
        let terminal = self.context.terminal
        if self.context.output.json {
            var members: [JSONValue.Member] = [
                .init("run", .string(run.id)), .init("folder", .string(run.path)),
            ]
            members += verdict.json.object ?? []
            members.append(.init("earlierVerdict", earlier.map { .string($0) } ?? .null))
            terminal.write(JSONValue.object(members).text)
            return verdict.exitCode
        }
        terminal.writeRaw(verdict.text(color: terminal.style.color))
        switch earlier {
        case verdict.outcome.rawValue?:
            self.context.hint("this agrees with the verdict when it ran")
        case let other?:
            terminal.write(terminal.style.red("the verdict when it ran was: \(other)"))
        case nil:
            self.context.hint("the run ended without a verdict of its own")
        }
        return verdict.exitCode
    }

    /// What the run was judged when it ended.
    private func earlier(_ run: RunList.Run) -> String? {
        let path = "\(run.path)/\(RunFolder.Name.verdict)"
        guard let text = try? FileSystem.readText(path), let json = try? JSONValue(parsing: text)
        else { return nil }
        return json["verdict"]?.string
    }
}
