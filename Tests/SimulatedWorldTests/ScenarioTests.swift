import Chaos
import Mesh
import SimulatedWorld
import Testing
import TopologyFile

private func draw(orders: Int = 40, faults: Int = 10) throws -> ScenarioDraw {
    ScenarioDraw(topology: try shopTopology(), orders: orders, faultCount: faults)
}

private func reread(_ scenario: Scenario) throws -> Scenario {
    let json = try JSONValue(parsing: scenario.json.prettyText)
    return try Scenario(json, file: "scenario.json") { name throws(ScenarioError) in
        throw ScenarioError("no file \(name) is needed")
    }
}

@Test(arguments: UInt64(1)...30)
func `a scenario that is written down and read again is the same`(seed: UInt64) throws {
    var scenario = try draw(faults: 30).scenario(seed: seed)
    scenario.flaws = ["oversell"]
    let again = try reread(scenario)
    #expect(again.faults == scenario.faults)
    #expect(again.topology.layout == scenario.topology.layout)
    #expect(again.seed == scenario.seed)
    #expect(again.orders == scenario.orders)
    #expect(again.flaws == scenario.flaws)
    #expect(again.snapshotEvery == scenario.snapshotEvery)
}

@Test func `a scenario that was written down is the same run`() throws {
    let scenario = try draw().scenario(seed: 3)
    #expect(ScenarioRun.run(try reread(scenario)).hash == ScenarioRun.run(scenario).hash)
}

@Test(
    arguments: [
        (#"{"fault": "kil", "target": "hub", "at": "1s", "for": "1s"}"#, "no fault 'kil'"),
        (#"{"fault": "kill", "at": "1s", "for": "1s"}"#, "needs 'target'"),
        (#"{"fault": "cut", "from": "orders", "at": "1s", "for": "1s"}"#, "needs 'to'"),
        (#"{"fault": "kill", "target": "hub", "for": "1s"}"#, "'at' must be a duration"),
        (#"{"fault": "slow", "target": "orders", "at": "1s", "for": "1s"}"#, "'milliseconds'"),
        (
            #"{"fault": "kill", "target": "hub", "after": {"event": "x"}, "for": "1s"}"#,
            "'after' needs"
        ),
    ]
)
func `a fault that makes no sense is refused with a reason`(text: String, reason: String) throws {
    let json = try JSONValue(parsing: text)
    let error = #expect(throws: ScenarioError.self) { try Fault(json) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
}

@Test func `faults have names that people understand`() {
    let event = Fault.EventName(number: 3, type: "payments.captured.v1", source: "payments")
    let kill = Fault(.kill, "orders-1", .after(event, .microseconds(40)), for: .milliseconds(5))
    #expect(
        kill.description
            == "kill orders-1 40us after the 3rd payments.captured.v1 from payments for 5ms"
    )
    var drop = Fault(.drop, "orders", .at(.seconds(1)), for: .seconds(2))
    drop.to = "inventory"
    drop.amount = 300
    #expect(drop.description == "drop 300‰ orders→inventory at 1s for 2s")
}

@Test func `every kind of fault is drawn and bites`() throws {
    var bitten: [Fault.Kind: Int] = [:]
    for seed in UInt64(1)...24 {
        let scenario = try draw(faults: 30).scenario(seed: seed)
        let outcome = ScenarioRun.run(scenario)
        #expect(outcome.hasPassed, "seed \(seed): \(outcome.failure?.summary ?? "")")
        for (fault, bites) in zip(scenario.faults, outcome.bitten) {
            bitten[fault.kind, default: 0] += bites
        }
    }
    for kind in Fault.Kind.allCases {
        #expect(bitten[kind, default: 0] > 0, "\(kind.rawValue) never bit")
    }
}

@Test func `worlds side by side on several threads are the worlds that run alone`() async throws {
    let draw = try draw()
    let seeds = UInt64(100)..<112
    let alone = seeds.map { ScenarioRun.run(draw.scenario(seed: $0)).hash }
    let together = await withTaskGroup(of: (UInt64, UInt64).self) { group in
        for seed in seeds {
            group.addTask { (seed, ScenarioRun.run(draw.scenario(seed: seed)).hash) }
        }
        var hashes: [UInt64: UInt64] = [:]
        for await (seed, hash) in group { hashes[seed] = hash }
        return seeds.map { hashes[$0] ?? 0 }
    }
    #expect(alone == together)
    #expect(Set(alone).count == seeds.count)
}
