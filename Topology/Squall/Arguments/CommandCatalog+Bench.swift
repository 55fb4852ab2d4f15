extension CommandCatalog {
    /// The command that measures.
    static let bench = CommandSpecification(
        name: "bench",
        operands: "sim",
        operandCount: 1...1,
        summary: "measure: how fast the simulated world is",
        details: [
            "sim: messages a second of a ping-pong, the cost of a message among up to 1,000",
            "services, an idle month, and runs a minute of the shop with 100 orders and 10 faults.",
            "Build with -c release to measure.",
        ],
        examples: [
            Example("squall bench sim", "the figures of the simulated world"),
            Example("squall bench sim --json", "the same for a machine"),
        ],
        group: .judge
    )
}
