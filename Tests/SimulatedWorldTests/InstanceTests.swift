import Chaos
import Mesh
import OutsideParties
import ServiceKit
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

/// The shop with a bank that declines nothing, so that an order that is not confirmed has failed.
private func trustingShop() throws -> Topology {
    var topology = try shopTopology()
    for index in topology.outside.indices where topology.outside[index].kind == .bank {
        topology.outside[index].settings = ["declines": "0%"]
    }
    return topology
}

/// Runs the shop while its services are scaled, restarted and rolled at random moments, and
/// processes die and stand still meanwhile.
private func run(
    seed: UInt64,
    changes: Int,
    kills: Int,
    pauses: Int = 0
) throws -> (verdict: Verdict, shop: SimulatedShop) {
    let shop = SimulatedShop(topology: try trustingShop(), orders: 80, seed: seed)
    var random = SeededRandom(seed: seed).split("instances")
    let services = shop.topology.services.map(\.name)
    for _ in 0..<changes {
        let service = services[random.below(services.count)]
        let count = 1 + random.below(4)
        let choice = random.below(4)
        shop.at(.microseconds(200_000 + random.below(4_000_000))) {
            switch choice {
            case 0: shop.change(.roll, of: service)
            case 1: shop.change(.restart(shop.instances(of: service)), of: service)
            default: shop.change(.scale(to: count), of: service)
            }
        }
    }
    for _ in 0..<(kills + pauses) {
        let service = services[random.below(services.count)]
        let number = 1 + random.below(3)
        let name = random.below(5) == 0 ? "hub" : "\(service)-\(number)"
        let time = Duration.microseconds(300_000 + random.below(4_000_000))
        let pause = Duration.microseconds(500 + random.below(80_000))
        if kills > 0, random.below(kills + pauses) < kills {
            shop.at(time) { shop.kill(name, downFor: pause) }
        } else {
            shop.at(time) { shop.pause(name, for: .seconds(1 + random.below(5))) }
        }
    }
    shop.start()
    _ = try shop.runToRest(within: .seconds(300))
    return (try shop.verdict(), shop)
}

@Test(arguments: UInt64(1)...10)
func `instances come and go under load, and every promise holds`(seed: UInt64) throws {
    let (verdict, shop) = try run(seed: seed, changes: 12, kills: 0)
    #expect(verdict.outcome == .passed, "seed \(seed): \(verdict.text(color: false))")
    #expect(verdict.counts.ordersConfirmed == 80)
    #expect(shop.changesFailed.isEmpty, "\(shop.changesFailed)")
    #expect(shop.changesDone > 0)
    #expect(shop.audit.isEmpty, "a change in order let somebody commit what was not his")
}

@Test(arguments: UInt64(1)...10)
func `instances come and go while others die and stand still, and every promise holds`(
    seed: UInt64
) throws {
    let (verdict, shop) = try run(seed: seed, changes: 12, kills: 8, pauses: 4)
    #expect(verdict.outcome == .passed, "seed \(seed): \(verdict.text(color: false))")
    #expect(shop.changesFailed.isEmpty, "\(shop.changesFailed)")
}

@Test func `a paused instance is fenced off while the service is scaled down around it`() throws {
    var fenced = 0
    for seed in UInt64(1)...5 {
        var topology = try trustingShop()
        for index in topology.services.indices where topology.services[index].name == "inventory" {
            topology.services[index].instances = 2
        }
        let shop = SimulatedShop(topology: topology, orders: 100, seed: seed)
        shop.at(.milliseconds(1_500)) { shop.pause("inventory-2", for: .seconds(5)) }
        shop.at(.milliseconds(1_600)) { shop.change(.scale(to: 3), of: "inventory") }
        shop.at(.milliseconds(4_000)) { shop.change(.scale(to: 1), of: "inventory") }
        shop.start()
        #expect(try shop.runToRest(within: .seconds(120)))
        let verdict = try shop.verdict()
        #expect(verdict.outcome == .passed, "seed \(seed): \(verdict.text(color: false))")
        #expect(verdict.counts.ordersConfirmed == 100)
        #expect(shop.changesDone == 2)
        #expect(shop.instances(of: "inventory") == ["inventory-1"])
        fenced += shop.audit.count { $0["refused"]?.string == "staleEpoch" }
    }
    #expect(fenced > 0, "no stale commit was ever tried")
}
