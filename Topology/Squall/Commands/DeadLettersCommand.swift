import Chaos
import Mesh
import RealWorld

/// `squall dlq`: events that a service could not handle.
struct DeadLettersCommand {
    let context: CommandContext

    func run(_ command: DeadLetterCommand) throws(ControlError) -> Int32 {
        switch command {
        case .list(let service): try self.list(service)
        case .show(let number, let service): try self.show(number, service)
        case .redrive(let number, let service, let dryRun):
            try self.redrive(number, service, dryRun)
        }
    }

    private func letters(_ service: String?) throws(ControlError) -> [JSONValue] {
        var members: [JSONValue.Member] = [.init("do", "dead-letters")]
        if let service { members.append(.init("service", .string(service))) }
        let answer = try ControlCommand(context: self.context).ask(.hub(.object(members)))
        return answer["deadLetters"]?.array ?? []
    }

    private func list(_ service: String?) throws(ControlError) -> Int32 {
        let letters = try self.letters(service)
        let terminal = self.context.terminal
        if self.context.output.json {
            for letter in letters { terminal.write(letter.text) }
            return ExitCode.held
        }
        guard !letters.isEmpty else {
            terminal.write("no dead letters")
            self.context.hint("an event that fails \(Self.often) becomes one")
            return ExitCode.held
        }
        for letter in letters {
            let state = letter["redriven"]?.bool == true ? "redriven" : "waiting"
            terminal.write(
                [
                    HumanText.padded(letter["service"]?.string ?? "?", 14),
                    HumanText.padded(left: letter["number"]?.int.map(String.init) ?? "?", 4),
                    HumanText.padded(state, 8),
                    letter["type"]?.string ?? "?",
                    letter["subject"]?.string ?? "?",
                    terminal.style.red(letter["error"]?.string ?? ""),
                ].joined(separator: "  ")
            )
        }
        self.context.hint("squall dlq show N · squall dlq redrive all --dry-run")
        return ExitCode.held
    }

    private static let often = "as often as limits.attemptsMax says"

    private func show(_ number: Int, _ service: String?) throws(ControlError) -> Int32 {
        let found = try self.letters(service).filter { $0["number"]?.int == Int64(number) }
        guard let letter = found.first else {
            throw ControlError(
                "there is no dead letter \(number)" + (service.map { " of \($0)" } ?? ""),
                hint: "squall dlq list",
                isUsage: true
            )
        }
        guard found.count == 1 else {
            let names = found.compactMap { $0["service"]?.string }.joined(separator: ", ")
            throw ControlError(
                "each of \(names) has a dead letter \(number); say which with --service",
                hint: "squall dlq list",
                isUsage: true
            )
        }
        let shown = Self.withData(letter)
        self.context.terminal.write(self.context.output.json ? shown.text : shown.prettyText)
        self.context.hint("squall dlq redrive \(number) hands it to its service again")
        return ExitCode.held
    }

    /// The letter with its event's data readable, where its type is known here.
    private static func withData(_ letter: JSONValue) -> JSONValue {
        guard let type = letter["type"]?.string, let hex = letter["data"]?.string,
            let bytes = Hex.bytes(hex), let data = EventText.data(type: type, bytes),
            let members = letter.object
        else { return letter }
        return .object(members.map { $0.name == "data" ? .init("data", data) : $0 })
    }

    private func redrive(
        _ number: Int?,
        _ service: String?,
        _ dryRun: Bool
    ) throws(ControlError) -> Int32 {
        var members: [JSONValue.Member] = [.init("do", "redrive"), .init("dryRun", .bool(dryRun))]
        if let number { members.append(.init("number", .int(Int64(number)))) }
        if let service { members.append(.init("service", .string(service))) }
        let request = JSONValue.object(members)
        let answer = try ControlCommand(context: self.context).ask(.hub(request))
        let terminal = self.context.terminal
        if self.context.output.json {
            terminal.write(answer.text)
            return ExitCode.held
        }
        let count = answer["redriven"]?.int ?? 0
        let letters = "\(count) dead letter\(count == 1 ? "" : "s")"
        terminal.write(dryRun ? "would redrive \(letters)" : "redrove \(letters)")
        self.context.hint(dryRun ? "without --dry-run it is done" : "squall dlq list")
        return ExitCode.held
    }
}
