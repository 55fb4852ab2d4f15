import Chaos
import Mesh
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

private func draw(orders: Int = 40, faults: Int = 10) throws -> ScenarioDraw {
    ScenarioDraw(topology: try shopTopology(), orders: orders, faultCount: faults)
}

private func reread(_ scenario: Scenario) throws -> Scenario {
    let text = scenario.json.prettyText
    let file = try ScenarioFile(utf8: Array(text.utf8), file: "scenario.json") {
        name throws(ScenarioError) in
        throw ScenarioError("no file \(name) is needed")
    }
    return file.scenario(seed: try #require(file.seed))
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
    #expect(again.strategy == scenario.strategy)
}

@Test func `a scenario that was written down is the same run`() throws {
    let scenario = try draw().scenario(seed: 3)
    #expect(ScenarioRun.run(try reread(scenario)).hash == ScenarioRun.run(scenario).hash)
}

@Test func `the parts of a fault stay together in a scenario that was written down`() throws {
    var file = ScenarioFile(name: "lossy", topology: try shopTopology(), orders: 10)
    var drop = WrittenFault(.drop, [], .at(.zero))
    drop.untilBitten = 3
    drop.atMost = .seconds(2)
    var cut = drop
    cut.kind = .cut
    cut.targets = ["orders"]
    cut.consumers = ["payments"]
    file.faults = [drop, cut]
    let scenario = file.scenario(seed: 1)
    #expect(scenario.faults.count > 4)
    #expect(Set(scenario.faults.dropLast().map(\.part)) == [0])
    #expect(scenario.faults.last?.part == nil)
    #expect(scenario.origins == scenario.faults.dropLast().map { _ in 0 } + [1])
    let again = try reread(scenario)
    #expect(again.faults == scenario.faults)
    #expect(again.origins == scenario.origins.dropLast() + [scenario.faults.count - 1])
}

private func problems(of fault: String) throws -> String {
    let text = #"{ topology: "shop.json", faults: ["# + "\n\(fault)] }"
    let error = #expect(throws: TopologyError.self) {
        try ScenarioFile(utf8: Array(text.utf8), file: "a.json") { name throws(ScenarioError) in
            do { return Array(try shopTopology().normalized().text.utf8) } catch {
                throw ScenarioError("\(error)")
            }
        }
    }
    return error.map { "\($0)" } ?? ""
}

@Test(
    arguments: [
        (#"{fault: "kil", target: "hub", at: "1s"}"#, "did you mean 'kill'?"),
        (#"{fault: "kill", from: "hub", at: "1s"}"#, "say 'target'"),
        (#"{fault: "kill", target: "payment", at: "1s"}"#, "did you mean 'payments'?"),
        (#"{fault: "cut", from: "bank", to: "orders", at: "1s", for: "1s"}"#, "no producer 'bank'"),
        (
            #"{fault: "cut", from: "payments", to: "inventory", at: "1s", for: "1s"}"#,
            "no such link"
        ),
        (#"{fault: "pause", target: "orders", for: "1s"}"#, "'at' or 'after' is missing"),
        (#"{fault: "pause", target: "orders", at: "1s"}"#, "'for' is missing"),
        (#"{fault: "slow", target: "orders", at: "1s", for: "1s"}"#, "needs 'by'"),
        (#"{fault: "kill", target: "hub", at: "1"}"#, "is no duration"),
        (#"{fault: "kill", target: "hub", at: "2s..1s"}"#, "is no duration"),
        (#"{fault: "kill", target: "hub", after: {event: "x", from: "y"}}"#, "no event 'x'"),
        (#"{fault: "kill", target: "hub", at: "1s", chance: "5%"}"#, "means nothing for a kill"),
        (#"{fault: "failed-sync", at: "1s", for: "1s"}"#, "happens once"),
        (#"{fault: "kill", target: "hub", at: "1s", untilBitten: 2}"#, "at once or never"),
        (#"{fault: "disk-full", at: "1s", for: "2s", atMost: "1s"}"#, "shorter than 'for'"),
        (#"{fault: "disk-full", at: "1s", untilBitten: 0}"#, "expected a whole number from 1"),
    ]
)
func `a fault that makes no sense is refused with its place and a reason`(
    text: String,
    reason: String
) throws {
    let problems = try problems(of: text)
    #expect(problems.contains(reason), "\(problems)")
    #expect(problems.hasPrefix("a.json:2:"), "\(problems)")
}

@Test func `faults have names that people understand`() {
    let event = Fault.EventName(number: 3, type: "payments.captured.v1", source: "payments")
    let kill = Fault(.kill, "orders-1", .after(event, .microseconds(40)), for: .milliseconds(5))
    #expect(
        kill.description
            == "kill orders-1 40us after the 3rd payments.captured.v1 from payments for 5ms"
    )
    let drop = Fault(
        .drop,
        "orders",
        to: "inventory",
        .at(.seconds(1)),
        for: .seconds(2),
        Fault.Parameters(chance: Ratio(3, 10) ?? .one)
    )
    #expect(drop.description == "drop orders→inventory 30% at 1s for 2s")
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
    for kind in FaultSchedule.kinds {
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
