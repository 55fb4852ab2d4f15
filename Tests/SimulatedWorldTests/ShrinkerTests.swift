import Chaos
import Mesh
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

/// The first scenario of a planted bug that fails.
private func failing(_ flaw: String, faults: Int) throws -> (Scenario, ScenarioOutcome) {
    var draw = ScenarioDraw(topology: try shopTopology(), orders: 40, faultCount: faults)
    draw.flaws = [flaw]
    for seed in UInt64(1)...60 {
        let scenario = draw.scenario(seed: seed)
        let outcome = ScenarioRun.run(scenario)
        if !outcome.hasPassed { return (scenario, outcome) }
    }
    throw ScenarioError("\(flaw) was not found")
}

@Test func `a bug that needs no fault shrinks to none, and to few orders`() throws {
    let (scenario, outcome) = try failing("lost-compensation", faults: 20)
    var shrinker = try #require(Shrinker(scenario, outcome))
    shrinker.shrink()
    #expect(shrinker.scenario.faults.isEmpty)
    #expect(shrinker.scenario.orders < 30)
    #expect(ScenarioRun.run(shrinker.scenario).failure?.invariant == outcome.failure?.invariant)
}

@Test func `a bug that needs a fault shrinks to the few that matter`() throws {
    let (scenario, outcome) = try failing("timeout-means-declined", faults: 40)
    var shrinker = try #require(Shrinker(scenario, outcome))
    shrinker.shrink()
    #expect((1...3).contains(shrinker.scenario.faults.count))
    let small = ScenarioRun(shrinker.scenario, listens: true)
    let failure = try #require(small.run().failure)
    #expect(failure.invariant == "money-adds-up")
    let story = CausalStory(of: small, failure: failure)
    #expect(story.journey.hasPrefix("order-"))
    #expect(story.lines.contains { $0.contains("shoppers place \(story.journey)") })
    #expect(story.lines.contains { $0.contains("payments gets no money") })
}

@Test func `a scenario that passes cannot be shrunk`() throws {
    let draw = ScenarioDraw(topology: try shopTopology(), orders: 10, faultCount: 0)
    let scenario = draw.scenario(seed: 1)
    #expect(Shrinker(scenario, ScenarioRun.run(scenario)) == nil)
}

// MARK: Fewer than delta debugging leaves

/// Shrinks 200 faults, of which number i comes after i milliseconds, where a run fails by `fails`.
private func shrunk(by fails: @escaping (Scenario) -> Bool) throws -> Shrinker {
    var scenario = Scenario(topology: try shopTopology(), orders: 100, seed: 1)
    scenario.faults = (0..<200).map {
        Fault(.pause, "payments-1", .at(.milliseconds($0)), for: .seconds(1))
    }
    let run = { (scenario: Scenario) -> ScenarioOutcome in
        var outcome = ScenarioOutcome(world: .simulated, seed: scenario.seed)
        outcome.bitten = scenario.faults.map { _ in 1 }
        if fails(scenario) { outcome.failure = .init(invariant: "kept", summary: "broken") }
        return outcome
    }
    var shrinker = try #require(Shrinker(scenario, run(scenario), run: run))
    shrinker.shrink()
    #expect(fails(shrinker.scenario))
    return shrinker
}

private func has(_ numbers: [Int], _ scenario: Scenario) -> Bool {
    numbers.allSatisfy { number in
        scenario.faults.contains { $0.trigger == .at(.milliseconds(number)) }
    }
}

@Test func `four faults that are all needed give way to two others that suffice`() throws {
    let shrinker = try shrunk { has([3, 5, 7, 9], $0) || has([20, 180], $0) }
    #expect(shrinker.scenario.faults.count == 2)
    #expect(has([20, 180], shrinker.scenario))
}

@Test func `faults that only change what happens when are left out under another seed`() throws {
    let shrinker = try shrunk { has([3, 5], $0) || has([3], $0) && $0.seed % 12 == 10 }
    #expect(shrinker.scenario.faults.count == 1)
    #expect(shrinker.scenario.seed == 10)
}

@Test func `faults that only let another one strike give way to a longer one`() throws {
    let shrinker = try shrunk { scenario in
        has([3, 5, 7, 9], scenario) || scenario.faults.contains { $0.duration > .seconds(3) }
    }
    #expect(shrinker.scenario.faults.count == 1)
}

@Test func `what needs many faults keeps them, after a bounded search, twice the same`() throws {
    let fails = { (scenario: Scenario) in has([3, 5, 7, 9, 130], scenario) }
    let shrinker = try shrunk(by: fails)
    #expect(shrinker.scenario.faults.count == 5)
    #expect(shrinker.runs < 2000)
    let again = try shrunk(by: fails)
    #expect(again.scenario == shrinker.scenario)
    #expect(again.runs == shrinker.runs)
}
