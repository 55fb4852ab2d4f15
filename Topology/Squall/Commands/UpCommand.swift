import Chaos
import Glibc
import Mesh
import MeshSocket
import RealWorld
import TopologyFile

/// `squall up`: launches a topology and stays until it is judged.
struct UpCommand {
    let context: CommandContext
    let options: UpOptions

    func run() throws(ControlError) -> Int32 {
        if let error = RunningTopology.unknownFlaw(self.options.flaws) { throw error }
        let path = try TopologyCommands.path(self.options.file)
        var topology = try TopologyCommands.topology(path)
        for setting in self.options.settings { try setting.apply(to: &topology) }
        var plan = RunningTopology.Plan(
            topology: topology,
            executables: FileSystem.executableFolder()
        )
        plan.home = FileSystem.absolute(path).map(FileSystem.folder(of:))
        plan.load = try self.load()
        plan.seed = self.options.seed ?? plan.seed
        plan.duration = self.options.duration
        plan.flaws = self.options.flaws
        plan.powerCuts = self.options.powerCuts
        plan.killCount = self.options.kills
        let loop: EventLoop
        do {
            loop = try EventLoop()
        } catch {
            throw ControlError("\(error)")
        }
        let folder = try self.folder(topology, now: loop.now())
        let run = try RunningTopology(plan, folder: folder, loop: loop)
        return try self.follow(run, folder, loop)
    }

    private func load() throws(ControlError) -> RunningTopology.Plan.Load {
        guard let file = self.options.history else { return .shoppers(rate: self.options.rate) }
        let history: History
        do {
            history = try History(parsing: try FileSystem.read(file), file: file)
        } catch {
            throw ControlError("\(error)", hint: "squall help up", isUsage: true)
        }
        guard !history.rows.isEmpty else {
            throw ControlError("\(file) has no orders", hint: "squall help up", isUsage: true)
        }
        switch self.options.speed {
        case .times(let times): return .history(history, .times(times))
        case .max, nil: return .history(history, .max)
        }
    }

    /// Makes the run folder and enters it.
    private func folder(_ topology: Topology, now: Instant) throws(ControlError) -> RunFolder {
        let folder: RunFolder
        if let path = self.options.runFolder {
            folder = try RunFolder.create(at: path)
        } else {
            let list = RunList(root: "\(CommandContext.workingFolder)/.squall/runs")
            list.prune(keeping: max(0, topology.limits.runsKept - 1))
            folder = try RunFolder.create(in: list.root, topology: topology.name, now: now)
        }
        do {
            try FileSystem.enter(folder.path)
        } catch {
            throw ControlError(error.message)
        }
        return folder
    }

    private func follow(
        _ run: RunningTopology,
        _ folder: RunFolder,
        _ loop: EventLoop
    ) throws(ControlError) -> Int32 {
        let view = LiveView(context: self.context, loop: loop) { run.status() }
        var ending: RunningTopology.Ending?
        var signals: [(number: Int32, at: Instant)] = []
        run.onHappening = { view.happened($0) }
        run.onEnded = {
            ending = $0
            loop.stop()
        }
        do {
            try loop.onSignals([SIGINT, SIGTERM, SIGHUP]) { signal in
                let now = loop.now()
                // `timeout` passes a signal on twice: to squall, and to the group that it is in.
                if let last = signals.last, last.number == signal, now - last.at < Self.echoTime {
                    return
                }
                signals.append((signal, now))
                if signals.count == 1, run.isServing { run.drain() } else { run.abort() }
            }
            try run.start()
            ProgramCode.releaseSoon(on: loop)
            view.start { run.refreshBites() }
            try loop.run()
        } catch {
            throw ControlError("\(error)")
        }
        view.stop()
        switch ending {
        case .judged(let verdict):
            self.write(verdict, run, folder)
            return verdict.exitCode
        case .failed(let error): throw error
        case .aborted, nil:
            self.context.terminal.complain(
                "ended at once; nothing was judged",
                hint: "squall check \(folder.id)"
            )
            return 128 + (signals.last?.number ?? SIGINT)
        }
    }

    /// The same signal again within this time is still the first one.
    private static let echoTime = Duration.milliseconds(200)

    private func write(_ verdict: Verdict, _ run: RunningTopology, _ folder: RunFolder) {
        let terminal = self.context.terminal
        if self.context.output.json {
            var members: [JSONValue.Member] = [
                .init("run", .string(folder.id)), .init("folder", .string(folder.path)),
            ]
            members += verdict.json.object ?? []
            members.append(.init("objectives", run.objectives.json))
            members.append(.init("timing", run.timing.json))
            members.append(.init("handling", run.handling))
            return terminal.write(JSONValue.object(members).text)
        }
        if self.context.output.isChatty { terminal.write("") }
        terminal.writeRaw(verdict.text(color: terminal.style.color))
        if self.context.output.isChatty { self.write(run.objectives) }
        if self.options.timing {
            for line in run.timing.lines { terminal.write(line) }
        }
        self.context.hint(
            "squall check \(folder.id) judges it again · squall events --run \(folder.id)"
        )
    }

    private func write(_ objectives: ObjectiveReport) {
        let style = self.context.terminal.style
        for line in objectives.lines {
            let limit = HumanText.duration(line.limit)
            let text = "objective \(HumanText.padded(line.name, 18)) ≤ \(limit):"
            switch (line.isMet, line.actual) {
            case (true?, let actual?):
                self.context.terminal.write(style.dim("\(text) \(HumanText.duration(actual))"))
            case (false?, let actual?):
                let missed = "\(text) \(HumanText.duration(actual)), missed"
                self.context.terminal.write(style.yellow(missed))
            default:
                continue
            }
        }
    }
}
