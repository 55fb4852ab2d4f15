import Chaos
import Events
import Mesh
import ServiceKit
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

// A service and an event that are in no folder of the project: what a user may have in a test.

private struct PointsEarned: Event, Hashable {
    static let type = "loyalty.earned.v1"
    static let topic = "loyalty.earned"
    var customer = ""
    var points = 0
    var subject: String { self.customer }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("customer", &self.customer)
        try coder.field("points", &self.points)
    }
}

private actor Loyalty: Service {
    static let name = "loyalty"
    static let consumes: [Subscription<Loyalty>] = [
        .on(OrderConfirmed.self) { loyalty, event, turn in loyalty.confirmed(event, turn) }
    ]
    nonisolated let host: any Host

    init(host: any Host) { self.host = host }

    private func confirmed(_ event: OrderConfirmed, _ turn: Turn<Loyalty>) {
        turn.decide {
            let points = event.total.rawValue / 100
            turn.emit(PointsEarned(customer: event.customer.rawValue, points: Int(points)))
        }
    }
}

/// The points that a run gave.
private func points(of run: ScenarioRun) throws -> [PointsEarned] {
    try run.records().flatMap(\.events).map(\.event).filter { $0.type == PointsEarned.type }
        .map { try PointsEarned(decoding: $0.data) }
}

@Test(arguments: UInt64(1)...5)
func `an actor of a test file runs in the shop under drawn faults, and every promise holds`(
    seed: UInt64
) throws {
    let outcome = ScenarioRun.run(
        Loyalty.self,
        in: try shopTopology(),
        emits: [PointsEarned.topic],
        seed: seed
    )
    #expect(outcome.hasPassed, "\(String(describing: outcome.failure))")
    #expect(outcome.verdict?.outcome == .passed)
}

@Test func `what the actor of a test file emits is in the log, once for each order`() throws {
    let topology = try shopTopology().adding(Loyalty.self, emits: [PointsEarned.topic])
    #expect(topology.links.contains(.init(from: "orders", to: "loyalty")))
    var scenario = Scenario(topology: topology, orders: 20, seed: 4)
    scenario.faults = [
        Fault(.kill, "loyalty-1", .at(.milliseconds(700)), for: .milliseconds(30))
    ]
    let run = ScenarioRun(scenario, services: .linked.adding(Loyalty.self))
    let outcome = run.run()
    #expect(outcome.hasPassed, "\(String(describing: outcome.failure))")
    #expect(outcome.bitten == [1])
    let confirmed = try #require(outcome.verdict?.counts.ordersConfirmed)
    #expect(confirmed > 10)
    #expect(try points(of: run).count == confirmed)
}

// A topology without a shop: its own events from an outside party of its own.

private struct Visited: Event, Hashable {
    static let type = "visited.v1"
    static let topic = "visits"
    var visitor = ""
    var subject: String { self.visitor }

    init(_ visitor: String) { self.visitor = visitor }
    init() {}

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("visitor", &self.visitor)
    }
}

private struct Greeted: Event, Hashable {
    static let type = "greeted.v1"
    static let topic = "greetings"
    var visitor = ""
    var times = 0
    var subject: String { self.visitor }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("visitor", &self.visitor)
        try coder.field("times", &self.times)
    }
}

private actor Greeter: Service {
    static let name = "greeter"
    static let consumes: [Subscription<Greeter>] = [
        .on(Visited.self) { greeter, event, turn in greeter.visited(event, turn) }
    ]
    nonisolated let host: any Host
    private var visits: [String: Int] = [:]

    init(host: any Host) { self.host = host }

    private func visited(_ event: Visited, _ turn: Turn<Greeter>) {
        turn.decide {
            turn.record(GreeterChange(visitor: event.visitor))
            let times = self.visits[event.visitor, default: 0] + 1
            turn.emit(Greeted(visitor: event.visitor, times: times))
        }
    }

    func apply(_ change: GreeterChange) { self.visits[change.visitor, default: 0] += 1 }
}

private struct GreeterChange: WireCodable {
    var visitor = ""

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("visitor", &self.visitor)
    }
}

private func hello() throws -> Topology {
    try Topology.parse(
        """
        {
          name: "hello",
          services: {
            greeter: { executable: "Greeter", consumes: ["visits"], emits: ["greetings"] },
          },
          topics: { visits: {}, greetings: { types: ["greeted.v1"], recordOnly: true } },
          links: [{ from: "visitors", to: "greeter" }],
          outside: { visitors: { kind: "shoppers", emits: ["visits"] } },
        }
        """,
        file: "hello.json"
    )
}

/// Three visitors, each of whom comes so often.
private func visits(_ count: Int) -> [Publication] {
    (0..<count).flatMap { number in
        ["ann", "bob", "cy"].map { name in
            Publication(Visited(name), from: "visitors", at: .milliseconds(100 * (number + 1)))
        }
    }
}

@Test(arguments: UInt64(1)...10)
func `a topology that is no shop is judged by what every mesh promises`(seed: UInt64) throws {
    let draw = ScenarioDraw(topology: try hello(), orders: 30, faultCount: 8)
    var scenario = draw.scenario(seed: seed)
    // What has rotted cannot be read back below.
    scenario.faults.removeAll { $0.kind == .bitRot }
    // Who reads from the start greets again.
    scenario.operations.removeAll { $0.kind == .rewind }
    let run = ScenarioRun(
        scenario,
        services: [.init(Greeter.self)],
        publications: visits(20)
    )
    let outcome = run.run()
    #expect(outcome.hasPassed, "\(String(describing: outcome.failure))")
    let verdict = try #require(outcome.verdict)
    #expect(verdict.outcome == .passed, "\(verdict.text(color: false))")
    #expect(!verdict.checks.contains { $0.name == "orders-end-once" })
    // A hub whose disk is full takes no visitor in; who got in is greeted, once for each visit.
    var visits: [String: Int] = [:]
    var greetings: [String: [Int]] = [:]
    for event in run.records().flatMap(\.events).map(\.event) {
        if event.type == Visited.type { visits[event.subject, default: 0] += 1 }
        guard event.type == Greeted.type else { continue }
        let greeted = try Greeted(decoding: event.data)
        greetings[greeted.visitor, default: []].append(greeted.times)
    }
    #expect(visits.keys.sorted() == ["ann", "bob", "cy"])
    #expect(greetings == visits.mapValues { Array(1...$0) })
}

@Test func `nothing was tried where nobody published, and nothing is proved`() throws {
    let scenario = Scenario(topology: try hello(), orders: 30, seed: 1)
    let outcome = ScenarioRun.run(scenario, services: [.init(Greeter.self)])
    #expect(outcome.verdict?.outcome == .unknown)
}

// What cannot be run says so.

@Test func `a service that is not linked, or is no actor, ends the run before it begins`() throws {
    let scenario = Scenario(topology: try hello(), orders: 1, seed: 1)
    let missing = ScenarioRun.run(scenario)
    #expect(missing.failure?.invariant == "can-run")
    #expect(missing.failure?.summary.contains("has no service 'greeter'") == true)

    var foreign = try hello()
    foreign.services[0].program = .command(["python3", "greeter.py"])
    #expect(ServiceCatalogue.linked.adding(Greeter.self).missing(in: try hello()) == nil)
    let error = ServiceCatalogue.linked.adding(Greeter.self).missing(in: foreign)
    #expect(error?.message.contains("a program of its own (python3 greeter.py)") == true)
}

@Test func `nobody else can publish in the name of whom the topology does not have`() throws {
    let scenario = Scenario(topology: try hello(), orders: 1, seed: 1)
    let outcome = ScenarioRun.run(
        scenario,
        services: [.init(Greeter.self)],
        publications: [Publication(Visited("ann"), from: "visitor", at: .seconds(1))]
    )
    #expect(outcome.failure?.invariant == "can-run")
    #expect(outcome.failure?.summary.contains("did you mean 'visitors'?") == true)
}
