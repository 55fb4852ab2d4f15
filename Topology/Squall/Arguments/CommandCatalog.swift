/// All commands of the command line.
enum CommandCatalog {
    typealias Example = CommandSpecification.Example

    static let all: [CommandSpecification] =
        [up] + disturbing + instances + [processes, logs, events, trace, runs] + deadLetters
        + [check, report] + [runScenarios] + simulating
        + [bench, lint, graph, new, help, version]

    static func named(_ name: String) -> CommandSpecification? {
        self.all.first { $0.name == name }
    }

    private static let up = CommandSpecification(
        name: "up",
        operands: "[TOPOLOGY.json]",
        operandCount: 0...1,
        summary: "launch a topology, place orders, judge at the end",
        details: [
            "Without a file it takes topology.json or Topology/shop.json of this folder, else",
            "the shop that comes with squall.",
            "Ctrl-C (SIGINT, SIGTERM) drains, judges and cleans up; a second one ends at once.",
            "Exit codes: 0 everything held, 1 something broke or nothing could be judged,",
            "2 wrong usage or a bad file, 3 could not run, 130 or 143 ended at once.",
        ],
        options: [
            OptionSpecification(name: "for", value: "DURATION", summary: "end after this time"),
            OptionSpecification(
                name: "history",
                value: "FILE",
                summary: "place the recorded orders of a CSV file: customer,date,quantity,dollars"
            ),
            OptionSpecification(
                name: "speed",
                value: "N|max",
                summary: "how many times faster than recorded; max (the default) does not wait"
            ),
            OptionSpecification(name: "rate", value: "N", summary: "orders a second"),
            OptionSpecification(name: "seed", value: "N", summary: "decides what is ordered"),
            OptionSpecification(
                name: "run-folder",
                value: "DIR",
                summary: "where to keep the run; default: a new folder in .squall/runs"
            ),
            OptionSpecification(name: "timing", summary: "print how fast starts and restarts were"),
            OptionSpecification(
                name: "chaos",
                value: "kills:N",
                summary: "kill N processes at random moments"
            ),
            OptionSpecification(
                name: "set",
                value: "NAME.KEY=VALUE",
                summary: "replace a setting of a service or party",
                repeats: true
            ),
            OptionSpecification(
                name: "flaw",
                value: "NAME",
                summary: "plant a bug on purpose, to see it caught",
                repeats: true
            ),
            OptionSpecification(
                name: "power-cuts",
                summary: "a kill of the hub, bank or mail also loses what they had not synced"
            ),
        ],
        examples: [
            Example("squall up", "the shop, until Ctrl-C"),
            Example("squall up --for 20s --rate 200 --json", "20 seconds for a machine"),
            Example(
                "squall up --history Topology/histories/cdnow.csv --chaos kills:30",
                "real orders, thirty crashes"
            ),
            Example("squall up --set bank.declines=5%", "a bank that says no"),
        ],
        group: .run
    )

    private static let processes = CommandSpecification(
        name: "ps",
        operands: "",
        operandCount: 0...0,
        summary: "show the processes of a running topology",
        options: [.run],
        examples: [
            Example("squall ps", "state, pid, events a second, lag, restarts"),
            Example("squall ps --json", "the same for a machine"),
        ],
        group: .look
    )

    private static let logs = CommandSpecification(
        name: "logs",
        operands: "[PROCESS]",
        operandCount: 0...1,
        summary: "show what the processes printed",
        options: [
            OptionSpecification(name: "follow", summary: "go on as it grows", short: "f"),
            OptionSpecification(
                name: "lines",
                value: "N",
                summary: "how many last lines of each process; default 20"
            ),
            .run,
        ],
        examples: [
            Example("squall logs payments", "the last 20 lines of payments"),
            Example("squall logs -f", "everything, as it comes"),
        ],
        group: .look
    )

    private static let events = CommandSpecification(
        name: "events",
        operands: "",
        operandCount: 0...0,
        summary: "show the events of a run, in the order in which they became durable",
        options: [
            OptionSpecification(name: "topic", value: "TOPIC", summary: "of this topic only"),
            OptionSpecification(name: "last", value: "N", summary: "the last N only"),
            OptionSpecification(name: "follow", summary: "go on as it grows", short: "f"),
            .run,
        ],
        examples: [
            Example("squall events --topic orders.ended -f", "orders as they end"),
            Example("squall events --json", "CloudEvents, one a line"),
        ],
        group: .look
    )

    private static let trace = CommandSpecification(
        name: "trace",
        operands: "ORDER",
        operandCount: 1...1,
        summary: "show everything that happened because of one order",
        options: [.run],
        examples: [
            Example("squall trace order-17", "the journey as a tree, with times"),
            Example("squall trace order-17 --json", "its events, one a line"),
        ],
        group: .look
    )

    private static let runs = CommandSpecification(
        name: "runs",
        operands: "",
        operandCount: 0...0,
        summary: "list the runs that are kept, newest last",
        examples: [
            Example("squall runs", "id, state, orders and verdict of each"),
            Example("squall runs --json", "the same for a machine"),
        ],
        group: .look
    )

    private static let check = CommandSpecification(
        name: "check",
        operands: "[RUN]",
        operandCount: 0...1,
        summary: "judge a finished run again, from its folder alone",
        details: [
            "RUN is an id, a folder or 'latest' (the default).",
            "Exit codes: 0 everything held, 1 something broke or nothing could be judged.",
        ],
        examples: [
            Example("squall check", "the latest run"),
            Example("squall check .squall/runs/20260102-101500-shop --json", "one run"),
        ],
        group: .judge
    )

    private static let report = CommandSpecification(
        name: "report",
        operands: "[RUN]",
        operandCount: 0...1,
        summary: "write one HTML file of a finished run: verdict, story, timeline",
        details: [
            "RUN is a run of 'squall up', one that 'squall sim' saved, a scenario file or 'latest'",
            "(the default). The file needs no network; every browser opens it.",
        ],
        options: [
            OptionSpecification(
                name: "out",
                value: "FILE",
                summary: "where to write it; default: report.html"
            ),
            OptionSpecification(name: "junit", value: "FILE", summary: "write JUnit XML too"),
        ],
        examples: [
            Example("squall report", "the latest run"),
            Example("squall report sim-42 --out sim-42.html", "a run that 'squall sim' saved"),
        ],
        group: .judge
    )

    private static let lint = CommandSpecification(
        name: "lint",
        operands: "[FILE]",
        operandCount: 0...1,
        summary: "find what is wrong in a topology file, with line and column",
        examples: [
            Example("squall lint", "the topology that 'squall up' would take"),
            Example("squall lint Topology/shop.json", "this file"),
        ],
        group: .judge
    )

    private static let graph = CommandSpecification(
        name: "graph",
        operands: "[FILE]",
        operandCount: 0...1,
        summary: "draw who sends what to whom",
        options: [
            OptionSpecification(
                name: "format",
                value: "FORMAT",
                summary: "text (the default), mermaid or dot"
            )
        ],
        examples: [
            Example("squall graph", "as text"),
            Example("squall graph --format dot | dot -Tsvg > shop.svg", "as a picture"),
        ],
        group: .judge
    )

    private static let help = CommandSpecification(
        name: "help",
        operands: "[COMMAND]",
        operandCount: 0...1,
        summary: "explain squall, or one command",
        examples: [
            Example("squall help", "all commands"),
            Example("squall help up", "one command, with examples"),
        ],
        group: .other
    )

    private static let version = CommandSpecification(
        name: "version",
        operands: "",
        operandCount: 0...0,
        summary: "print the version",
        examples: [
            Example("squall version", "as text"),
            Example("squall version --json", "for a machine"),
        ],
        group: .other
    )
}
