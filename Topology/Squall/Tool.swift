import Mesh
import RealWorld

/// The command line tool: understands the words, does what they say, returns the exit code.
enum Tool {
    static let version = "0.1.0"

    static func run(_ words: [String]) -> Int32 {
        if words.first == BenchClient.word { return BenchClient.run(Array(words.dropFirst())) }
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try Invocation(parsing: words)
        } catch {
            Terminal().complain(error.message, hint: error.hint)
            return ExitCode.usage
        }
        let terminal = Terminal(invocation.output.color)
        let context = CommandContext(
            terminal: terminal,
            output: invocation.output,
            run: invocation.run
        )
        do throws(ControlError) {
            return try self.run(invocation.command, context)
        } catch {
            terminal.complain(error.message, hint: error.hint)
            return self.exitCode(of: error, invocation.command)
        }
    }

    private static func run(
        _ command: Invocation.Command,
        _ context: CommandContext
    ) throws(ControlError) -> Int32 {
        switch command {
        case .up(let options): return try UpCommand(context: context, options: options).run()
        case .control(let request): return try ControlCommand(context: context).run(request)
        case .processes: return try ControlCommand(context: context).processes()
        case .rewind(let options): return try ControlCommand(context: context).rewind(options)
        case .deadLetters(let command):
            return try DeadLettersCommand(context: context).run(command)
        case .check(let run): return try CheckCommand(context: context, name: run).run()
        case .report(let options):
            return try ReportCommand(context: context, options: options).run()
        case .scenarios(let options):
            return try RunCommand(context: context, options: options).run()
        case .sim(let options): return try SimCommand(context: context, options: options).run()
        case .certify(let options):
            return try CertifyCommand(context: context, options: options).run()
        case .bench(let options):
            return try BenchCommand(context: context, options: options).run()
        case .replay(let run): return try ReplayCommands(context: context).replay(run)
        case .shrink(let run): return try ReplayCommands(context: context).shrink(run)
        case .logs(let options): return try LogsCommand(context: context, options: options).run()
        case .events(let options):
            return try EventsCommand(context: context, options: options).run()
        case .trace(let order): return try TraceCommand(context: context, order: order).run()
        case .lint(let file): return try TopologyCommands.lint(file, context)
        case .graph(let file, let format):
            return try TopologyCommands.graph(file, format: format, context)
        case .newService(let options):
            return try NewServiceCommand(context: context, options: options).run()
        case .runs: return RunsCommand(context: context).run()
        case .help(let name):
            let text = name.flatMap(CommandCatalog.named).map {
                HelpText.text(of: $0, context.terminal.style)
            }
            context.terminal.write(text ?? HelpText.overview(context.terminal.style))
            return ExitCode.held
        case .version:
            let json: JSONValue = ["version": .string(self.version)]
            context.terminal.write(context.output.json ? json.text : "squall \(self.version)")
            return ExitCode.held
        }
    }

    /// A bad file is the user's to mend; anything else is that it could not run.
    private static func exitCode(of error: ControlError, _ command: Invocation.Command) -> Int32 {
        switch command {
        case .lint, .graph: ExitCode.usage
        default: error.isUsage ? ExitCode.usage : ExitCode.couldNotRun
        }
    }
}
