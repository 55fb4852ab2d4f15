extension CommandCatalog {
    static let runScenarios = CommandSpecification(
        name: "run",
        operands: "[FILE|FOLDER…]",
        operandCount: 0...10_000,
        summary: "run scenarios: what goes wrong is written down, what must hold is judged",
        details: [
            "In the simulated world each scenario runs under many seeds; with --real once, on",
            "processes. A folder stands for its *.json; without any it takes Topology/scenarios.",
            "A fault that never bit, an operation that never ended or a run in which nothing was",
            "judged makes a scenario unknown. What a world cannot do is skipped.",
            "Exit codes: 0 all passed, 1 one failed or is unknown or nothing ran, 2 wrong usage",
            "or a bad file, 3 could not run.",
        ],
        options: [
            OptionSpecification(name: "real", summary: "run on processes, sockets and disks"),
            OptionSpecification(
                name: "seeds",
                value: "N",
                summary: "how many seeds; default: as each file says, one with --real"
            ),
            OptionSpecification(
                name: "seed",
                value: "N",
                summary: "the first seed; alone, the only one"
            ),
            OptionSpecification(
                name: "bug",
                value: "NAME",
                summary: "plant a bug on purpose, to see it caught",
                repeats: true
            ),
            OptionSpecification(
                name: "prove",
                summary: "plant each bug that a scenario names: it must fail, by its faults"
            ),
            OptionSpecification(
                name: "junit",
                value: "FILE",
                summary: "write JUnit XML: a test case for each seed of each scenario"
            ),
            OptionSpecification(
                name: "report",
                value: "FILE",
                summary: "write an HTML page: a row for each scenario, one run of each in full"
            ),
            OptionSpecification(
                name: "threads",
                value: "N",
                summary: "simulated worlds side by side; default: one a core"
            ),
        ],
        examples: [
            Example("squall run Topology/scenarios/bank-times-out.json", "one, under 200 seeds"),
            Example("squall run Topology/scenarios --prove", "show that each of them can fail"),
            Example("squall run --real Topology/scenarios", "all of them on processes"),
            Example("squall run --junit out.xml --report out.html", "as a build server does"),
            Example("squall run bank-down.json --seed 17", "the run of one seed"),
        ],
        group: .judge
    )
}
