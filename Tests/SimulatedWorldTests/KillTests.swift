import Chaos
import Mesh
import OutsideParties
import ServiceKit
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

/// Runs the shop while processes die at random; returns the verdict and the run's hash.
func runWithKills(
    seed: UInt64,
    orders: Int = 60,
    kills: Int = 12,
    flaws: Flaws = Flaws(),
    faults: (SimulatedShop) -> Void = { _ in }
) throws -> (verdict: Verdict, hash: UInt64) {
    let topology = try shopTopology()
    let shop = SimulatedShop(topology: topology, orders: orders, seed: seed, flaws: flaws)
    var random = SeededRandom(seed: seed).split("kills")
    let names = shop.processNames
    for _ in 0..<kills {
        let name = names[random.below(names.count)]
        let time = Duration.microseconds(300_000 + random.below(4_000_000))
        let pause = Duration.microseconds(500 + random.below(80_000))
        shop.at(time) { shop.kill(name, downFor: pause) }
    }
    faults(shop)
    shop.start()
    _ = try shop.runToRest(within: .seconds(300))
    return (try shop.verdict(), shop.runHash)
}

@Test(arguments: UInt64(1)...20)
func `whatever dies, and whenever, every promise holds`(seed: UInt64) throws {
    let run = try runWithKills(seed: seed)
    #expect(run.verdict.outcome == .passed, "seed \(seed): \(run.verdict.text(color: false))")
}
