extension CommandCatalog {
    /// The commands of the simulated world.
    static let simulating: [CommandSpecification] = [
        CommandSpecification(
            name: "sim",
            operands: "[TOPOLOGY.json]",
            operandCount: 0...1,
            summary: "run the shop under seeds in virtual time, thousands of runs a minute",
            details: [
                "Each seed draws faults, when they strike and how the shop is set up, then decides",
                "every choice of the run. Without --runs it goes on until Ctrl-C; --seed alone",
                "is one run. A failed run is saved as a scenario for 'squall replay'.",
                "Exit codes: 0 every run held, 1 one failed, 2 wrong usage or a bad file.",
            ],
            options: [
                OptionSpecification(name: "runs", value: "N", summary: "how many seeds"),
                OptionSpecification(name: "seed", value: "N", summary: "the first seed; default 1"),
                OptionSpecification(
                    name: "orders",
                    value: "N",
                    summary: "orders in each run; default 100"
                ),
                OptionSpecification(
                    name: "faults",
                    value: "N",
                    summary: "faults in each run; default 10"
                ),
                OptionSpecification(name: "events", summary: "show the events of one run"),
                OptionSpecification(
                    name: "bug",
                    value: "NAME",
                    summary: "plant a bug on purpose, to see it caught",
                    repeats: true
                ),
                OptionSpecification(name: "list-bugs", summary: "say which bugs can be planted"),
                OptionSpecification(
                    name: "bugs",
                    summary: "plant each bug in turn and say how soon it is found"
                ),
                OptionSpecification(
                    name: "verify",
                    summary: "run each seed twice, and in another process: all must be equal"
                ),
                OptionSpecification(
                    name: "with",
                    value: "SQUALL",
                    summary: "the program that --verify compares with; default: this one"
                ),
                OptionSpecification(name: "hashes", summary: "write each seed and its run's hash"),
                OptionSpecification(
                    name: "plain",
                    summary: "let seeds draw faults only: no set-up, no restarts, no scaling"
                ),
                OptionSpecification(
                    name: "strategy",
                    value: "random|pct",
                    summary: "how it is decided what happens next; default: each seed draws one"
                ),
                OptionSpecification(
                    name: "without",
                    value: "INVARIANT",
                    summary: "a promise that is not judged: its bugs go unfound",
                    repeats: true
                ),
                OptionSpecification(
                    name: "threads",
                    value: "N",
                    summary: "worlds side by side; default: one a core"
                ),
            ],
            examples: [
                Example("squall sim", "seeds until Ctrl-C: runs a minute, faults, failures"),
                Example("squall sim --runs 1000 --json", "a thousand seeds for a machine"),
                Example("squall sim --seed 42 --events", "one run, its events in order"),
                Example("squall sim --bug lost-compensation --runs 100", "see a bug caught"),
                Example(
                    "squall sim --bugs --without money-adds-up",
                    "what is found without one of the promises"
                ),
            ],
            group: .judge
        ),
        CommandSpecification(
            name: "replay",
            operands: "RUN",
            operandCount: 1...1,
            summary: "run a saved scenario again: the same run, the same verdict",
            details: ["RUN is a run of 'squall sim', its folder or a scenario file."],
            examples: [
                Example("squall replay sim-42", "a run that 'squall sim' saved"),
                Example("squall replay .squall/runs/sim-42/scenario.json", "the same by its file"),
            ],
            group: .judge
        ),
        CommandSpecification(
            name: "shrink",
            operands: "RUN",
            operandCount: 1...1,
            summary: "find the few faults and orders that still make a scenario fail",
            details: ["The small scenario is saved beside it, with '-small' behind its name."],
            examples: [
                Example("squall shrink sim-42", "the few faults that suffice, and the story"),
                Example("squall shrink sim-42 --json", "the same for a machine"),
            ],
            group: .judge
        ),
        CommandSpecification(
            name: "certify",
            operands: "[SCENARIO.json|TOPOLOGY.json]",
            operandCount: 0...1,
            summary: "try every single fault at every place of one run, or every pair",
            details: [
                "From one good run it takes every message and every step, then drops, repeats and",
                "delays each message and kills or pauses the process before and after each step,",
                "one run each. The scenario's own faults are left out; without a scenario it is",
                "one order of the topology. The same build always writes the same certificate.",
                "Exit codes: 0 all hold, 1 one breaks a promise, 2 wrong usage or a bad file.",
            ],
            options: [
                OptionSpecification(name: "pairs", summary: "try every distinct pair as well"),
                OptionSpecification(name: "orders", value: "N", summary: "orders; default 1"),
                OptionSpecification(name: "seed", value: "N", summary: "the seed; default 1"),
                OptionSpecification(
                    name: "bug",
                    value: "NAME",
                    summary: "plant a bug on purpose, to see it caught",
                    repeats: true
                ),
                OptionSpecification(
                    name: "only",
                    value: "N[,M]",
                    summary: "run the fault of that number, or pair, and tell its story"
                ),
                OptionSpecification(
                    name: "threads",
                    value: "N",
                    summary: "worlds side by side; default: one a core"
                ),
            ],
            examples: [
                Example("squall certify", "every single fault in the life of one order"),
                Example("squall certify --pairs", "every distinct pair of faults as well"),
                Example("squall certify --bug charge-without-key", "see which faults reveal it"),
            ],
            group: .judge
        ),
    ]
}
