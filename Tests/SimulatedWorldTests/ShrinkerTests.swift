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
