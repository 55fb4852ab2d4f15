import Chaos
import Mesh
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

private func scenario(_ faults: [Fault], orders: Int = 40, seed: UInt64 = 1) throws -> Scenario {
    var scenario = Scenario(topology: try shopTopology(), orders: orders, seed: seed)
    scenario.faults = faults
    return scenario
}

/// A fault of each kind that meets something in a run of a few seconds.
private func typical(_ kind: Fault.Kind) -> Fault {
    let target =
        switch kind.aim {
        case .process: "payments-1"
        case .service: "inventory"
        case .link: "orders"
        case .party: "bank"
        case .disk: "hub"
        case .load: "shoppers"
        }
    var fault = Fault(kind, target, .at(.milliseconds(300)), for: .milliseconds(700))
    if kind.isMomentary { fault.duration = .zero }
    if kind.aim == .link { fault.to = "inventory" }
    switch kind.needs?.parameter {
    case .by: fault.parameters.by = .milliseconds(30)
    case .rate: fault.parameters.rate = 5
    case .percent: fault.parameters.percent = 20
    case .times: fault.parameters.times = 4
    default: break
    }
    if kind == .drop || kind == .corrupt { fault.parameters.every = 2 }
    return fault
}

@Test(arguments: FaultSchedule.kinds)
func `each kind of fault alone takes hold of something, and every promise holds`(
    kind: Fault.Kind
) throws {
    let outcome = ScenarioRun.run(try scenario([typical(kind)]))
    #expect(outcome.hasPassed, "\(outcome.failure?.summary ?? "")")
    #expect(outcome.bitten.first ?? 0 > 0, "it never bit")
}

@Test(arguments: LinkFault.Hop.allCases, [Fault.Kind.drop, .corrupt, .reorder])
func `what a bad link loses or turns round on any hop is made good, also what shoppers publish`(
    hop: LinkFault.Hop,
    kind: Fault.Kind
) throws {
    var fault = Fault(kind, "shoppers", to: "orders", .at(.zero), for: .seconds(3))
    fault.parameters.hop = hop
    fault.parameters.every = 2
    let outcome = ScenarioRun.run(try scenario([fault]))
    #expect(outcome.hasPassed, "\(outcome.failure?.summary ?? "")")
    #expect(outcome.bitten.first ?? 0 > 0, "it never bit")
}

@Test(arguments: [Fault.Kind.drop, .down, .slow, .slowSync])
func `a fault that is over in no time goes on until it has bitten, where it says so`(
    kind: Fault.Kind
) throws {
    // Nothing is placed before it is long over.
    var fault = typical(kind)
    fault.trigger = .at(.zero)
    fault.duration = .microseconds(1)
    #expect(ScenarioRun.run(try scenario([fault])).bitten == [0])
    fault.untilBitten = 3
    let outcome = ScenarioRun.run(try scenario([fault]))
    #expect(outcome.hasPassed, "\(outcome.failure?.summary ?? "")")
    #expect(outcome.bitten.first ?? 0 >= 3)
}

@Test func `a bit that rots in the log is found, with the record's place`() throws {
    let rot = Fault(.bitRot, "hub", .at(.seconds(1)), for: .zero)
    let restart = Fault(.kill, "hub", .at(.milliseconds(1500)), for: .zero)
    for faults in [[rot], [rot, restart]] {
        let outcome = ScenarioRun.run(try scenario(faults))
        let failure = try #require(outcome.failure)
        #expect(failure.invariant == "log-readable")
        #expect(failure.summary.contains("at byte"), "\(failure.summary)")
        #expect(outcome.bitten.first == 1)
    }
}

/// The longest time in which nothing was recorded between two instants of a run.
private func silence(_ run: ScenarioRun, from: Duration, to: Duration) -> Duration {
    let window = (run.began + from)...(run.began + to)
    let times = run.records().map(\.time).filter(window.contains)
    return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .zero
}

@Test func `a hub that is killed for a while stays away that long, else it is back at once`() throws
{
    let kill = Fault(.kill, "hub", .at(.seconds(1)), for: .zero)
    let quick = ScenarioRun(try scenario([kill], orders: 100))
    #expect(quick.run().hasPassed)
    #expect(silence(quick, from: .milliseconds(900), to: .seconds(3)) < .milliseconds(200))
    var held = kill
    held.duration = .milliseconds(1500)
    let slow = ScenarioRun(try scenario([held], orders: 100))
    #expect(slow.run().hasPassed)
    let away = silence(slow, from: .milliseconds(900), to: .seconds(4))
    #expect(away >= .milliseconds(1500) && away < .milliseconds(1700), "\(away)")
}

@Test func `a hub whose disk fails again and again is given up by the supervisor`() throws {
    let faults = (0..<8).map { number in
        Fault(.failedSync, "hub", .at(.milliseconds(400 + 300 * number)), for: .zero)
    }
    var given = try scenario(faults)
    given.convergesWithin = .seconds(10)
    let failure = try #require(ScenarioRun.run(given).failure)
    #expect(failure.invariant == "converges")
    #expect(failure.summary.contains("hub was given up"), "\(failure.summary)")
}

@Test func `a window of one lets a refund wait for its charge, and the charge be tried again`()
    throws
{
    for seed in UInt64(1)...5 {
        var hasty = try scenario([Fault(.down, "bank", .at(.seconds(1)), for: .seconds(4))])
        hasty.seed = seed
        hasty.topology.limits.mesh.window = 1
        for index in hasty.topology.services.indices
        where hasty.topology.services[index].name == "orders" {
            hasty.topology.services[index].settings = ["paymentTimeout": "500ms"]
        }
        let outcome = ScenarioRun.run(hasty)
        #expect(outcome.hasPassed, "seed \(seed): \(outcome.failure?.summary ?? "")")
    }
}

@Test func `poison that the hub refuses because its disk is full is nobody's order`() throws {
    let faults = [
        Fault(.diskFull, "hub", .at(.milliseconds(300)), for: .seconds(2)),
        Fault(.poison, "shoppers", .at(.seconds(1)), for: .zero),
    ]
    let outcome = ScenarioRun.run(try scenario(faults, orders: 80))
    #expect(outcome.hasPassed, "\(outcome.failure?.summary ?? "")")
    #expect(outcome.verdict?.counts.ordersRefused ?? 0 > 0)
}

@Test func `operations come to their end under load, and say so`() throws {
    var topology = try shopTopology()
    topology.limits.mesh.attemptsMax = 3
    var scenario = Scenario(topology: topology, orders: 60, seed: 4)
    scenario.faults = [Fault(.poison, "shoppers", .at(.milliseconds(500)), for: .zero)]
    scenario.operations = [
        Operation(.scale, "inventory", instances: 3, .at(.milliseconds(300))),
        Operation(.roll, "inventory", .at(.milliseconds(400))),
        Operation(.scale, "inventory", instances: 1, .at(.milliseconds(500))),
        Operation(.restart, "payments", .at(.seconds(1))),
        Operation(.rewind, "analytics", .at(.seconds(2))),
        Operation(.redrive, "orders", .at(.seconds(5))),
        Operation(.redrive, "payments", .at(.seconds(5))),
    ]
    let outcome = ScenarioRun.run(scenario)
    #expect(outcome.hasPassed, "\(outcome.failure?.summary ?? "")")
    // Payments had no dead letter: there was nothing to do.
    #expect(outcome.done == [true, true, true, true, true, true, false])
}

@Test func `an event that nobody can read must end as a dead letter`() throws {
    var poisoned = try scenario([Fault(.poison, "shoppers", .at(.milliseconds(500)), for: .zero)])
    poisoned.topology.limits.mesh.attemptsMax = 3
    let outcome = ScenarioRun.run(poisoned)
    let check = outcome.verdict?.checks.first { $0.name == "no-dead-letters" }
    #expect(check?.finding.summary == "none but 1 event that nobody can read")
    #expect(outcome.hasPassed)
    poisoned.flaws = ["error-swallowed"]
    let failure = try #require(ScenarioRun.run(poisoned).failure)
    #expect(failure.invariant == "no-dead-letters")
    #expect(failure.summary.contains("became no dead letter"), "\(failure.summary)")
}

@Test func `a scenario that expects a broken promise passes where it is broken, and only there`()
    throws
{
    let text = """
        { topology: "shop.json", orders: 30, expects: "log-readable",
          faults: [{ fault: "bit-rot", at: "1s" }] }
        """
    func file(_ text: String) throws -> ScenarioFile {
        try ScenarioFile(utf8: Array(text.utf8), file: "rot.json") { _ throws(ScenarioError) in
            do { return Array(try shopTopology().normalized().text.utf8) } catch {
                throw ScenarioError("\(error)")
            }
        }
    }
    func outcome(_ file: ScenarioFile) -> ScenarioResult {
        var result = ScenarioResult(of: file, in: .simulated)
        let scenario = file.scenario(seed: 1)
        result.add(ScenarioRun.run(scenario), of: scenario)
        return result
    }
    var rot = try file(text)
    #expect(outcome(rot).outcome == .passed)
    #expect(rot.scenario(seed: 1).json["expects"]?.string == "log-readable")
    rot.faults = []
    let kept = outcome(rot)
    #expect(kept.outcome == .failed)
    #expect(kept.failures.first?.failure?.summary.contains("it was kept") == true)
    let wrong = text.replacing("log-readable", with: "log-readible")
    let error = #expect(throws: TopologyError.self) { try file(wrong) }
    #expect(error?.description.contains("did you mean 'log-readable'?") == true)
}
