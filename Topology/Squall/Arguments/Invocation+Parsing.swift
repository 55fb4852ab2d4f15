import Mesh
import RealWorld
import TopologyFile

extension Invocation {
    /// Understands the words behind `squall`.
    init(parsing words: [String]) throws(UsageError) {
        guard let first = words.first else {
            self.init(command: .help(nil))
            return
        }
        switch first {
        case "--help", "-h": self.init(command: .help(nil))
        case "--version": self.init(command: .version)
        default: try self.init(command: first, words: words.dropFirst())
        }
    }

    private init(command name: String, words: ArraySlice<String>) throws(UsageError) {
        guard let specification = CommandCatalog.named(name) else {
            throw Self.unknown(command: name)
        }
        var words = try Words(words, of: specification)
        if words.has("help") {
            self.init(command: .help(name))
            return
        }
        self.init(command: try Self.command(&words))
        self.output.json = words.has("json")
        self.output.quiet = words.has("quiet")
        self.output.color = try Self.choice(words, "color", OutputOptions.Color.self) ?? .auto
        self.run = words.value("run")
    }

    private static func unknown(command name: String) -> UsageError {
        if name.hasPrefix("-") {
            return UsageError(
                message: "the command comes first, options behind it: '\(name)'",
                hint: "squall help"
            )
        }
        let closest = Suggestion.closest(to: name, among: CommandCatalog.all.map(\.name))
        return UsageError(
            message: "unknown command '\(name)'"
                + (closest.map { "; did you mean '\($0)'?" } ?? ""),
            hint: "squall help"
        )
    }

    private static func command(_ words: inout Words) throws(UsageError) -> Command {
        switch words.specification.name {
        case "up": .up(try self.up(words))
        case "ps": .processes
        case "logs":
            .logs(
                LogsOptions(
                    service: words.operand(0),
                    follows: words.has("follow"),
                    lines: try self.number(words, "lines", in: 0...1_000_000) ?? 20
                )
            )
        case "events":
            .events(
                EventsOptions(
                    topic: words.value("topic"),
                    follows: words.has("follow"),
                    last: try self.number(words, "last", in: 0...100_000_000)
                )
            )
        case "trace": .trace(words.operands[0])
        case "dlq": .deadLetters(try self.deadLetters(words))
        case "rewind": .rewind(try self.rewind(words))
        case "check": .check(run: words.operand(0))
        case "report":
            .report(
                ReportOptions(
                    run: words.operand(0),
                    file: words.value("out") ?? "report.html",
                    junit: words.value("junit")
                )
            )
        case "run": .scenarios(try self.scenarios(words))
        case "sim": .sim(try self.sim(words))
        case "certify": .certify(try self.certify(words))
        case "bench": .bench(try self.bench(words))
        case "replay": .replay(words.operands[0])
        case "shrink": .shrink(words.operands[0])
        case "lint": .lint(file: words.operand(0))
        case "graph": .graph(file: words.operand(0), format: try self.format(words))
        case "runs": .runs
        case "new": .newService(try self.newService(words))
        case "help": .help(try self.topic(words))
        case "version": .version
        default: .control(try self.control(&words))
        }
    }

    private static func topic(_ words: Words) throws(UsageError) -> String? {
        guard let name = words.operand(0) else { return nil }
        guard CommandCatalog.named(name) != nil else { throw self.unknown(command: name) }
        return name
    }

    private static func format(_ words: Words) throws(UsageError) -> String {
        let format = words.value("format") ?? "text"
        guard ["text", "mermaid", "dot"].contains(format) else {
            throw words.error("--format is text, mermaid or dot, not '\(format)'")
        }
        return format
    }

    private static func up(_ words: Words) throws(UsageError) -> UpOptions {
        var options = UpOptions(file: words.operand(0))
        options.duration = try self.duration(words, "for")
        options.history = words.value("history")
        options.rate = try self.number(words, "rate", in: 0...1_000_000)
        options.runFolder = words.value("run-folder")
        options.timing = words.has("timing")
        options.flaws = words.all("flaw")
        options.powerCuts = words.has("power-cuts")
        options.kills = try self.kills(words)
        for text in words.all("set") {
            guard let setting = SettingOverride(text) else {
                throw words.error("--set takes NAME.KEY=VALUE, such as bank.declines=5%")
            }
            options.settings.append(setting)
        }
        options.seed = try self.seed(words)
        if let text = words.value("speed") {
            guard options.history != nil else {
                throw words.error("--speed says how fast a --history is placed; there is none")
            }
            if text == "max" {
                options.speed = .max
            } else if let times = Int(text), (1...1_000_000_000).contains(times) {
                options.speed = .times(times)
            } else {
                throw words.error("--speed is 'max' or a whole number from 1, not '\(text)'")
            }
        }
        if options.kills > 0, options.history == nil, options.duration == nil {
            throw words.error(
                "--chaos spreads kills over a run with an end: add --for or --history"
            )
        }
        if options.history != nil, options.rate != nil {
            throw words.error("--rate and --history exclude each other")
        }
        return options
    }

    private static func kills(_ words: Words) throws(UsageError) -> Int {
        guard let text = words.value("chaos") else { return 0 }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "kills", let count = Int(parts[1]),
            (0...10_000).contains(count)
        else { throw words.error("--chaos is kills:N, such as kills:30, not '\(text)'") }
        return count
    }

    private static func newService(_ words: Words) throws(UsageError) -> NewServiceOptions {
        guard words.operands[0] == "service" else {
            throw words.error("'\(words.operands[0])' cannot be new: squall new service NAME")
        }
        let events = words.all("on").flatMap { $0.split(separator: ",").map(String.init) }
        guard !events.isEmpty else {
            throw words.error("which events does it handle? --on EVENT[,EVENT]")
        }
        return NewServiceOptions(name: words.operands[1], events: events)
    }

    private static func deadLetters(_ words: Words) throws(UsageError) -> DeadLetterCommand {
        let service = words.value("service")
        let verb = words.operands[0]
        if words.has("dry-run"), verb != "redrive" {
            throw words.error("--dry-run belongs to 'dlq redrive'")
        }
        switch (verb, words.operand(1)) {
        case ("list", nil):
            return .list(service: service)
        case ("list", let extra?):
            throw words.error("unexpected '\(extra)' behind 'list'")
        case ("show", nil):
            throw words.error("which one? squall dlq show N")
        case ("show", let text?):
            return .show(number: try self.deadLetterNumber(text, words), service: service)
        case ("redrive", nil), ("redrive", "all"):
            return .redrive(number: nil, service: service, dryRun: words.has("dry-run"))
        case ("redrive", let text?):
            return .redrive(
                number: try self.deadLetterNumber(text, words),
                service: service,
                dryRun: words.has("dry-run")
            )
        default:
            let closest = Suggestion.closest(to: verb, among: ["list", "show", "redrive"])
            throw words.error(
                "unknown verb '\(verb)'" + (closest.map { "; did you mean '\($0)'?" } ?? "")
            )
        }
    }

    private static func deadLetterNumber(
        _ text: String,
        _ words: Words
    ) throws(UsageError) -> Int {
        guard let number = Int(text), number > 0 else {
            throw words.error("'\(text)' is no number of a dead letter; see 'squall dlq list'")
        }
        return number
    }

    private static func rewind(_ words: Words) throws(UsageError) -> RewindOptions {
        let offset = try self.number(words, "to", in: 0...Int.max)
        let ago = try self.duration(words, "ago")
        let target: RewindOptions.Target
        switch (offset, ago) {
        case (let offset?, nil): target = .offset(offset)
        case (nil, let ago?): target = .ago(ago)
        case (nil, nil): throw words.error("where to? --to OFFSET or --ago DURATION")
        case (_?, _?): throw words.error("--to and --ago exclude each other")
        }
        return RewindOptions(
            service: words.operands[0],
            topic: words.value("topic"),
            target: target
        )
    }
}

extension Invocation {
    static func duration(_ words: Words, _ option: String) throws(UsageError) -> Duration? {
        guard let text = words.value(option) else { return nil }
        return try self.duration(text, words)
    }

    static func duration(_ text: String, _ words: Words) throws(UsageError) -> Duration {
        guard let duration = Duration(text: text), duration > .zero else {
            throw words.error("'\(text)' is no duration; write 500ms, 5s or 2m")
        }
        return duration
    }

    static func number(
        _ words: Words,
        _ option: String,
        in range: ClosedRange<Int>
    ) throws(UsageError) -> Int? {
        guard let text = words.value(option) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw words.error(
                "--\(option) is a whole number from \(range.lowerBound), not '\(text)'"
            )
        }
        return number
    }

    static func choice<T: RawRepresentable<String> & CaseIterable>(
        _ words: Words,
        _ option: String,
        _ type: T.Type
    ) throws(UsageError) -> T? {
        guard let text = words.value(option) else { return nil }
        guard let value = T(rawValue: text) else {
            let names = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw words.error("--\(option) is one of \(names), not '\(text)'")
        }
        return value
    }
}
