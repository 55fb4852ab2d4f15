import Chaos
import Events
import Mesh
import ScenarioTesting
import ServiceKit
import Testing

@Test(.seeds(1...3)) func `the bank charges and does not answer, and nobody pays twice`()
    async throws
{
    try await withShop { shop in
        shop.load(rate: 40, for: .seconds(1), spike: .times(4, at: .zero, for: .seconds(1)))
        shop.at(.milliseconds(500)) {
            $0.kill("payments", for: .milliseconds(100) ... .seconds(1))
        }
        shop.during(.milliseconds(200) ... .seconds(2)) {
            $0.party("bank").timeoutAfter(every: 2)
            $0.link("orders", to: "inventory").drop(.chance("20%")).duplicate(.chance("10%"))
        }
        shop.convergesWithin(.seconds(20))
        shop.brokenBy("charge-without-key")
    }
}

@Test(.seeds(1...2)) func `stock that runs out is not sold twice, whoever asks for it`()
    async throws
{
    try await withShop { shop in
        shop.orders(60)
        shop.load(rate: 200)
        shop.with(["load": ["products": 12]])
        shop.set("inventory", "stockPerProduct", 4)
        shop.set("inventory", "reorderPoint", 0)
        shop.after(3, "stock.requested.v1", from: "orders") { $0.kill("inventory") }
        shop.brokenBy("oversell")
    }
}

/// No order that is confirmed costs more than it may.
private final class NothingCostsTooMuch: Invariant {
    let name = "nothing-costs-too-much"
    let promise = "no confirmed order costs more than it may"
    let hears: Hearing = .facts
    private let most: Money

    init(most: Money) {
        self.most = most
    }

    func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        guard case .confirmed(let order) = fact.event, order.total > self.most else { return nil }
        return .broken("\(order.order) costs \(order.total)", fact.witness("\(order.order)"))
    }

    func finished(_ end: RunEnd) -> Finding { .held("none over \(self.most)") }
}

@Test(.seeds(1...2)) func `an invariant of one's own is judged beside the usual ones`()
    async throws
{
    try await withShop { shop in
        shop.orders(20)
        shop.load(rate: 200)
        shop.judge { _ in NothingCostsTooMuch(most: Money(cents: 1_000_000)) }
    }
    try await withKnownIssue {
        try await withShop { shop in
            shop.orders(20)
            shop.load(rate: 200)
            shop.judge { _ in NothingCostsTooMuch(most: Money(cents: 100)) }
        }
    } matching: { issue in
        let text = issue.comments.map(\.rawValue).joined()
        return text.contains("nothing-costs-too-much: order-")
            && !text.contains("squall replay") && text.contains("SQUALL_SEED=1 ")
    }
}

@Test(.seeds(1...1)) func `a failed test says what broke, why, and how to see it again`()
    async throws
{
    try await withKnownIssue {
        try await withShop(named: "a failed test") { shop in
            shop.orders(30)
            shop.load(rate: 200)
            shop.during(.zero ... .seconds(2)) { $0.party("bank").timeoutAfter() }
            shop.plant("timeout-means-declined")
        }
    } matching: { issue in
        let text = issue.comments.map(\.rawValue).joined()
        return text.contains("a failed test: 1 of 1 seeds failed")
            && text.contains("seed 1: money-adds-up: order-")
            && text.contains("payments gets no money for order-")
            && text.contains("/.squall/runs/a-failed-test-1-timeout-means-declined\n")
    }
}

@Test(.seeds(1...1)) func `a test that cannot fail as it should does fail`() async throws {
    try await withKnownIssue {
        try await withShop { shop in
            shop.orders(10)
            shop.load(rate: 200)
            shop.brokenBy("cut-never-heals")
        }
    } matching: { issue in
        issue.comments.contains { $0.rawValue.contains("the bug cut-never-heals planted") }
    }
}

@Test(.seeds(1...1)) func `a fault that never bites leaves a test in doubt, by name`()
    async throws
{
    try await withKnownIssue {
        try await withShop { shop in
            shop.orders(10)
            shop.load(rate: 200)
            shop.after(5000, "orders.placed.v1", from: "shoppers") { $0.kill("hub") }
        }
    } matching: { issue in
        issue.comments.contains {
            $0.rawValue.contains("never bit: kill hub after the 5000th orders.placed.v1")
        }
    }
}

@Test func `a mistake in a scenario is named as in a file`() async throws {
    let error = await #expect(throws: (any Error).self) {
        try await withShop { shop in
            shop.at(.seconds(1)) { $0.kill("paymets") }
        }
    }
    #expect(error.map { "\($0)" }?.contains("did you mean 'payments'?") == true)
}

// The example of the README, word for word.
@Test(.seeds(1...20)) func `payments may die at any time`() async throws {
    try await withShop { shop in
        shop.load(rate: 100, for: .seconds(1))
        shop.during(.zero ... .seconds(1)) { $0.party("bank").slowAnswers(by: .milliseconds(50)) }
        shop.at(.milliseconds(500)) { $0.kill("payments", for: .milliseconds(100) ... .seconds(1)) }
        shop.brokenBy("charge-without-key")
    }
}

@Test(arguments: [World.simulated, .real])
func `the same body runs in both worlds`(world: World) async throws {
    try await withShop(world) { shop in
        shop.orders(40)
        shop.load(rate: 200)
        shop.at(.zero) { $0.party("bank").slowAnswers(by: .milliseconds(300), for: .seconds(3)) }
        shop.after(10, "payments.requested.v1", from: "orders", plus: .milliseconds(100)) {
            $0.kill("payments")
        }
        shop.at(.milliseconds(50)) {
            $0.link("orders", to: "inventory").drop(for: .milliseconds(1)).untilBitten(2)
        }
        shop.brokenBy("charge-without-key")
    }
}

@Test func `what only a test has does not run on processes, and says what it takes`() async throws {
    try await withKnownIssue {
        try await withShop(.real) { shop in
            shop.service(Greeter.self)
            shop.judge { _ in NothingCostsTooMuch(most: Money(cents: 1)) }
        }
    } matching: { issue in
        let text = issue.comments.map(\.rawValue).joined()
        return text.contains("squall new service greeter") || text.contains("squall judges")
    }
}

/// Thanks whoever has placed an order; it forgets nobody, and thanks nobody twice.
private actor Greeter: Service {
    static let name = "greeter"
    static let consumes: [Subscription<Greeter>] = [
        .on(OrderPlaced.self) { greeter, event, turn in greeter.placed(event, turn) }
    ]
    nonisolated let host: any Host

    init(host: any Host) { self.host = host }

    private func placed(_ event: OrderPlaced, _ turn: Turn<Greeter>) {
        turn.decide { turn.emit(Greeted(order: event.order)) }
    }
}

private struct Greeted: Event, Hashable {
    static let type = "greetings.sent.v1"
    static let topic = "greetings"
    var order = OrderID("")
    var subject: String { self.order.rawValue }

    init() {}
    init(order: OrderID) { self.order = order }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("order", &self.order)
    }
}

@Test(.seeds(1...3)) func `an actor of the test runs in the shop and may go wrong like all others`()
    async throws
{
    try await withShop { shop in
        shop.orders(40)
        shop.load(rate: 200)
        shop.service(Greeter.self, emits: [Greeted.self], instances: 2)
        shop.after(10, "greetings.sent.v1", from: "greeter") { $0.kill("greeter") }
        shop.after(15, "orders.placed.v1", from: "shoppers") {
            $0.link("shoppers", to: "greeter").drop(.every(2), for: .milliseconds(100))
        }
        shop.brokenBy("lost-stays-lost")
    }
}
