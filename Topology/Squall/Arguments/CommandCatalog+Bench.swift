extension CommandCatalog {
    /// The command that measures.
    static let bench = CommandSpecification(
        name: "bench",
        operands: "[mesh|growth|sim]",
        operandCount: 0...1,
        summary: "measure launch, restarts, memory, recovery, orders, mesh, simulation",
        details: [
            "Without a word it measures everything with real processes, in rounds, and says median",
            "and spread; exit code 1 means that something is worse than --baseline, beyond the",
            "noise. 'bench mesh' does one kind of work: WORK is pub (volatile), durable",
            "(confirmed, delivered, acknowledged; every group commit is synced), rtt (a request",
            "and its answer), confirm (one durable event under way), open or dopen (5,000 a",
            "second, volatile or durable, from end to end). 'bench growth': durable work with ever",
            "more topics, instances and bytes, and a log of 10 GB on little disk. 'bench sim':",
            "messages a second of a ping-pong, the cost of a message among up to 1,000 services,",
            "an idle month, and runs a minute of the shop with 100 orders and 10 faults.",
            "Build with -c release to measure.",
        ],
        options: [
            OptionSpecification(name: "quick", summary: "fewer and shorter rounds"),
            OptionSpecification(name: "save", value: "FILE", summary: "keep the figures"),
            OptionSpecification(
                name: "baseline",
                value: "FILE",
                summary: "compare with figures that were kept"
            ),
            OptionSpecification(name: "work", value: "WORK", summary: "what to do; default pub"),
            OptionSpecification(
                name: "cons",
                value: "N",
                summary: "services, each of which gets all; default 1"
            ),
            OptionSpecification(
                name: "instances",
                value: "N",
                summary: "of one service, each of which gets its share; default 1"
            ),
            OptionSpecification(
                name: "topics",
                value: "N",
                summary: "published to in turn; default 1"
            ),
            OptionSpecification(name: "size", value: "BYTES", summary: "of data; default 256"),
            OptionSpecification(name: "dur", value: "SECONDS", summary: "how long; default 2"),
            OptionSpecification(
                name: "window",
                value: "N",
                summary: "unconfirmed events of durable work; default 1024"
            ),
            OptionSpecification(
                name: "rate",
                value: "N",
                summary: "events a second of open and dopen; default 5000"
            ),
            OptionSpecification(
                name: "armed",
                summary: "with a fault on each link that never strikes"
            ),
            OptionSpecification(
                name: "observed",
                summary: "with somebody who reads the log as it grows"
            ),
        ],
        examples: [
            Example("squall bench --save now.json", "everything; takes some minutes"),
            Example("squall bench --quick --baseline now.json", "is anything worse?"),
            Example("squall bench mesh", "volatile, one producer and one consumer"),
            Example("squall bench mesh --work durable --json", "one line for a machine"),
            Example("squall bench mesh --work rtt --armed", "what a fault in waiting costs"),
            Example("squall bench growth", "what more of everything costs"),
            Example("squall bench sim", "the figures of the simulated world"),
        ],
        group: .judge
    )
}
