import RealWorld

/// The command line tool: understands the words, does what they say, returns the exit code.
enum Tool {
    static let version = "0.1.0"

    static func run(_ words: [String]) -> Int32 {
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try Invocation(parsing: words)
        } catch {
            Terminal().complain(error.message, hint: error.hint)
            return ExitCode.usage
        }
        let terminal = Terminal(invocation.output.color)
        switch invocation.command {
        case .help(nil):
            terminal.write(HelpText.overview(terminal.style))
            return ExitCode.held
        case .help(let name?):
            guard let command = CommandCatalog.named(name) else { return ExitCode.usage }
            terminal.write(HelpText.text(of: command, terminal.style))
            return ExitCode.held
        case .version:
            let text = "squall \(self.version)"
            terminal.write(invocation.output.json ? "{\"version\":\"\(self.version)\"}" : text)
            return ExitCode.held
        default:
            terminal.complain("not there yet", hint: nil)
            return ExitCode.couldNotRun
        }
    }
}
