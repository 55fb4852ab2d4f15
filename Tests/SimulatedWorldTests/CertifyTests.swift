import Chaos
import Mesh
import SimulatedWorld
import TestSupport
import Testing

private func certifier(flaws: [String] = []) throws -> Certifier {
    var scenario = Scenario(topology: try shopTopology(), orders: 1, seed: 1)
    scenario.flaws = flaws
    return Certifier(scenario)
}

private func broken(_ certifier: Certifier) -> [Certifier.Broken] {
    let placements = certifier.goodRun().placements
    let failures = placements.map { certifier.run([$0]).outcome.failure }
    return certifier.singles(placements, failures).broken
}

@Test func `no single fault at any place of an order's life breaks a promise`() throws {
    let certifier = try certifier()
    let good = certifier.goodRun()
    #expect(good.outcome.hasPassed)
    for deed in Placement.Deed.allCases {
        #expect(good.placements.contains { $0.deed == deed }, "nothing to \(deed.rawValue)")
    }
    for found in broken(certifier) {
        Issue.record("\(found.placements.map(\.text)): \(found.failure.summary)")
    }
}

@Test(arguments: ["late-stock-kept", "publisher-forgotten", "party-forgets-keys"])
func `a bug that seeds seldom find is found by trying each place`(flaw: String) throws {
    #expect(try !broken(certifier(flaws: [flaw])).isEmpty)
}

@Test func `the run up to a fault is the run without it`() throws {
    let certifier = try certifier()
    let good = certifier.goodRun()
    for index in stride(from: 0, to: good.placements.count, by: 9) {
        let placement = good.placements[index]
        let run = certifier.run([placement])
        let before = { (placements: [Placement]) in
            placements.prefix { $0.time < placement.time }.map(\.text)
        }
        #expect(before(run.placements) == before(good.placements), "\(placement.text)")
        #expect(certifier.run([placement]).outcome.hash == run.outcome.hash, "\(placement.text)")
    }
}

@Test func `a placed fault strikes`() throws {
    let certifier = try certifier()
    let good = certifier.goodRun()
    var alike: [String] = []
    for placement in good.placements
    where certifier.run([placement]).outcome.hash == good.outcome.hash {
        alike.append(placement.text)
    }
    #expect(alike.isEmpty, "these changed nothing: \(alike)")
}

@Test func `pairs that are tried stand for all of them`() throws {
    let certifier = try certifier()
    let good = certifier.goodRun()
    let distinct = Certifier.distinct(good.placements)
    #expect(distinct.map(\.stands).reduce(0, +) == good.placements.count)
    #expect(distinct.count < good.placements.count)
    let last = good.placements.count - 1
    let pairs = certifier.pairs(good.placements, last, stands: 1)
    #expect(pairs.all >= pairs.tried)
    #expect(pairs.broken.isEmpty, "\(pairs.broken.map { $0.failure.summary })")
}
