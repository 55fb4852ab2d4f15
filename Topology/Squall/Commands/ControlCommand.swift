import Chaos
import Mesh
import RealWorld

/// The commands that a running topology carries out: they ask it, and say what it did.
struct ControlCommand {
    let context: CommandContext

    /// Sends a request to the run that is meant.
    func ask(_ request: ControlRequest) throws(ControlError) -> JSONValue {
        let run = try self.context.runs.liveRun(named: self.context.run)
        return try ControlClient.ask(request, run: run.path)
    }

    /// `squall kill`, `pause`, `slow` and the like.
    func run(_ request: ControlRequest) throws(ControlError) -> Int32 {
        let answer = try self.ask(request)
        let terminal = self.context.terminal
        if self.context.output.json {
            terminal.write(answer.text)
            return ExitCode.held
        }
        let style = terminal.style
        terminal.write(answer["did"]?.string ?? answer.text)
        for entry in answer["healed"]?.array ?? [] {
            guard let fault = TopologyStatus.Fault(json: entry) else { continue }
            let text = "  \(fault.text): bit \(HumanText.count(fault.bitten))×"
            terminal.write(fault.bitten == 0 ? style.yellow(text + ", never") : text)
        }
        for entry in answer["instances"]?.array ?? [] {
            let owned = (entry["partitions"]?.array ?? []).compactMap { $0.int.map(Int.init) }
            let name = entry["instance"]?.string ?? "?"
            terminal.write("  \(name) owns \(owned.isEmpty ? "nothing" : HumanText.ranges(owned))")
        }
        self.context.hint(Self.hint(after: request))
        return ExitCode.held
    }

    /// `squall ps`.
    func processes() throws(ControlError) -> Int32 {
        let answer = try self.ask(.status)
        let terminal = self.context.terminal
        if self.context.output.json {
            terminal.write(answer.text)
            return ExitCode.held
        }
        guard let status = TopologyStatus(json: answer) else {
            throw ControlError("the topology answered what this squall cannot read")
        }
        let table = LiveTable(width: terminal.size.columns, style: terminal.style)
        for line in table.lines(of: status) { terminal.write(line) }
        self.context.hint("squall kill payments · squall logs -f · squall trace order-1")
        return ExitCode.held
    }

    /// `squall rewind`.
    func rewind(_ options: RewindOptions) throws(ControlError) -> Int32 {
        var members: [JSONValue.Member] = [
            .init("do", "rewind"), .init("service", .string(options.service)),
        ]
        if let topic = options.topic { members.append(.init("topic", .string(topic))) }
        switch options.target {
        case .offset(let offset): members.append(.init("to", .int(Int64(offset))))
        case .ago(let duration):
            let time = WallClock.now() + (.zero - duration)
            members.append(.init("toTime", .int(time.nanoseconds)))
        }
        let answer = try self.ask(.hub(.object(members)))
        let terminal = self.context.terminal
        if self.context.output.json {
            terminal.write(answer.text)
            return ExitCode.held
        }
        let count = HumanText.count(Int(clamping: answer["events"]?.int ?? 0))
        terminal.write("\(options.service) reads \(count) events again")
        self.context.hint("squall ps shows its lag; handlers must not mind a repetition")
        return ExitCode.held
    }

    private static func hint(after request: ControlRequest) -> String {
        switch request {
        case .kill(let name): "squall ps shows its restarts and lag · squall logs \(name)"
        case .pause(let name, nil): "squall ps shows its lag grow · squall resume \(name)"
        case .pause: "squall ps shows its lag grow, then shrink"
        case .resume: "squall ps shows how it catches up"
        case .crashLoop(let name, _): "squall ps shows its restarts · squall logs \(name)"
        case .slow, .slowProcessor, .cut, .link, .party:
            "squall ps shows how often it bites · squall heal ends it"
        case .heal: "squall ps shows what is left · Ctrl-C in the first terminal judges"
        case .load, .rate: "squall ps shows the lag · squall heal goes back to the usual load"
        case .scale: "squall ps shows who owns which partitions"
        case .restart, .roll: "squall ps shows the restarts and the lag"
        case .status, .hub: "squall help"
        }
    }
}
