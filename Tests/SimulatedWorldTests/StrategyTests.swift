import Chaos
import Mesh
import ServiceKit
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

private func draw(_ strategy: Scenario.Strategy?) throws -> ScenarioDraw {
    var draw = ScenarioDraw(topology: try shopTopology(), orders: 40, faultCount: 10)
    draw.strategy = strategy
    return draw
}

@Test(arguments: UInt64(1)...20)
func `under priorities every promise holds too, and the seed decides everything`(
    seed: UInt64
) throws {
    let scenario = try draw(.pct).scenario(seed: seed)
    let outcome = ScenarioRun.run(scenario)
    #expect(outcome.hasPassed, "seed \(seed): \(outcome.failure?.summary ?? "")")
    #expect(ScenarioRun.run(scenario).hash == outcome.hash)
    var other = scenario
    other.strategy = .random
    #expect(ScenarioRun.run(other).hash != outcome.hash)
}

@Test func `priorities let what was sent wait for others, never come early`() throws {
    // Two processes each get a message a microsecond; only the order between them may change.
    var orders: Set<String> = []
    for seed in UInt64(1)...20 {
        let simulation = Simulation(seed: seed, strategy: .pct)
        var order = ""
        for number in 1...5 {
            for name in ["a", "b"] {
                let due = simulation.now + .microseconds(number)
                simulation.after(.microseconds(number), by: simulation.process(name)) {
                    #expect(simulation.now >= due)
                    order += name
                }
            }
        }
        simulation.run(within: .seconds(1)) { false }
        #expect(order.count == 10)
        orders.insert(order)
    }
    #expect(orders.contains("aaaaabbbbb"))
    #expect(orders.contains("bbbbbaaaaa"))
}

@Test func `each seed draws its strategy, both come up, and a file keeps it`() throws {
    let draw = try draw(nil)
    let drawn = Set((UInt64(1)...20).map { draw.scenario(seed: $0).strategy })
    #expect(drawn == Set(Scenario.Strategy.allCases))
}

@Test func `without the promise that shows it a bug goes unfound`() throws {
    var draw = ScenarioDraw(topology: try shopTopology(), orders: 30, faultCount: 10)
    draw.flaws = [Flaw.mailWithoutKey.rawValue]
    var finders: Set<String> = []
    for seed in UInt64(1)...60 {
        if let failure = ScenarioRun.run(draw.scenario(seed: seed)).failure {
            finders.insert(failure.invariant)
            draw.exceptions.insert(failure.invariant)
        }
    }
    #expect(finders == ["one-message-per-end"])
}

@Test func `a shop that has ended leaves nothing behind`() throws {
    for seed in UInt64(1)...3 {
        weak var simulation: Simulation?
        do {
            let shop = SimulatedShop(topology: try shopTopology(), orders: 20, seed: seed)
            simulation = shop.simulation
            shop.at(.milliseconds(900)) { [unowned shop] in
                shop.kill("payments-1", downFor: .seconds(1))
                shop.pause("orders-1", for: .seconds(100))
            }
            shop.start()
            shop.simulation.run(within: .milliseconds(1500)) { false }
            shop.end()
        }
        #expect(simulation == nil, "seed \(seed)")
    }
}

@Test func `an event that fails for a while is tried again though later ones used up the window`()
    throws
{
    var topology = try shopTopology()
    topology.limits.mesh.window = 1
    for index in topology.services.indices where topology.services[index].name == "orders" {
        // The refund, behind the payment that fails, takes the only place.
        topology.services[index].settings = ["paymentTimeout": "300ms"]
    }
    for strategy in Scenario.Strategy.allCases {
        var scenario = Scenario(topology: topology, orders: 3, seed: 1)
        scenario.strategy = strategy
        scenario.faults = [Fault(.down, "bank", .at(.zero), for: .seconds(5))]
        let outcome = ScenarioRun.run(scenario)
        #expect(outcome.hasPassed, "\(strategy): \(outcome.failure?.summary ?? "")")
    }
}

@Test func `a ring passes its messages on, the same way under the same seed`() {
    func hash(_ seed: UInt64) -> UInt64 {
        let ring = SimulatedRing(services: 5, tokens: 3, seed: seed)
        ring.run(messages: 1000)
        defer { ring.end() }
        #expect(ring.messageCount == 1000)
        return ring.hash
    }
    #expect(hash(1) == hash(1))
    #expect(hash(1) != hash(2))
}
