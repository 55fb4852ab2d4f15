import Chaos
import Mesh
import ServiceKit
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

@Test func `a hundred orders end as promised, twice with the same hash, and touch no machine`()
    throws
{
    var hashes: [UInt64] = []
    for _ in 1...2 {
        let shop = SimulatedShop(topology: try shopTopology(), orders: 100, seed: 42)
        shop.start()
        #expect(try shop.runToRest())
        let verdict = try shop.verdict()
        #expect(verdict.outcome == .passed, "\(verdict.text(color: false))")
        #expect(verdict.counts.ordersAccepted == 100)
        hashes.append(shop.runHash)
    }
    #expect(hashes[0] == hashes[1])
}
