/// What one command takes and does, from which its parsing and its help both follow.
struct CommandSpecification: Sendable {
    let name: String
    /// The operands as the help shows them: `SERVICE [DURATION]`.
    let operands: String
    /// How many operands make sense.
    let operandCount: ClosedRange<Int>
    /// One line for the list of commands.
    let summary: String
    /// What a user must know beyond the summary.
    var details: [String] = []
    var options: [OptionSpecification] = []
    let examples: [Example]
    var group: Group

    struct Example: Sendable {
        let line: String
        let meaning: String

        init(_ line: String, _ meaning: String) {
            self.line = line
            self.meaning = meaning
        }
    }

    enum Group: String, CaseIterable, Sendable {
        case run = "Run"
        case disturb = "Disturb a running topology"
        case look = "Look"
        case judge = "Judge and check"
        case write = "Write"
        case other = "Help"
    }

    /// The options that this command understands, the common ones included.
    var allOptions: [OptionSpecification] { self.options + OptionSpecification.common }
}

/// An option that starts with two dashes.
struct OptionSpecification: Sendable {
    let name: String
    /// What its value is called in the help; nil for an option without one.
    var value: String?
    let summary: String
    /// Whether it may be given more than once.
    var repeats = false
    /// A one-letter form.
    var short: Character?

    /// The options of every command.
    static let common: [OptionSpecification] = [
        OptionSpecification(name: "json", summary: "write JSON for machines, nothing else"),
        OptionSpecification(name: "quiet", summary: "write results only: no progress, no hints"),
        OptionSpecification(
            name: "color",
            value: "WHEN",
            summary: "auto (the default), always or never; NO_COLOR counts as never"
        ),
        OptionSpecification(name: "help", summary: "show this help", short: "h"),
    ]

    static let run = OptionSpecification(
        name: "run",
        value: "RUN",
        summary: "which run: its id, its folder or 'latest'; default: the only live one"
    )

    static let duration = OptionSpecification(
        name: "for",
        value: "DURATION",
        summary: "heal by itself after this time, such as 500ms, 5s or 2m"
    )
}
