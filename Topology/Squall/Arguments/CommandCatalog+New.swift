extension CommandCatalog {
    static let new = CommandSpecification(
        name: "new",
        operands: "service NAME",
        operandCount: 2...2,
        summary: "write a new service that compiles, runs in the shop and has a test",
        details: [
            "NAME is written like gift-cards. EVENT is a type of the shop's, such as",
            "orders.confirmed.v1, or its name in Swift, such as OrderConfirmed.",
            "It adds Services/NAME and a test, and names the service in Package.swift and",
            "Topology/shop.json. What it cannot add it tells you to.",
        ],
        options: [
            OptionSpecification(
                name: "on",
                value: "EVENT[,EVENT]",
                summary: "the events that it handles",
                repeats: true
            )
        ],
        examples: [
            Example("squall new service loyalty --on OrderConfirmed", "for one event"),
            Example("squall new service points --on OrderConfirmed,OrderCancelled", "for two"),
        ],
        group: .write
    )
}
