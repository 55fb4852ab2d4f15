import Chaos
import Mesh
import OutsideParties
import ServiceKit
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

/// What makes a planted bug bite: faults, load and settings.
private struct Trap: Sendable {
    var flaw: Flaw
    var topology: @Sendable (inout Topology) -> Void = { _ in }
    var faults: @Sendable (SimulatedShop) -> Void = { _ in }
    var kills = 0
    var orders = 60
}

private func settings(
    of service: String,
    _ changes: [String: Int64]
)
    -> @Sendable (inout Topology)
    -> Void
{
    { topology in
        for index in topology.services.indices where topology.services[index].name == service {
            var members = topology.services[index].settings.object ?? []
            members.removeAll { changes[$0.name] != nil }
            for name in changes.keys.sorted() {
                members.append(.init(name, .int(changes[name] ?? 0)))
            }
            topology.services[index].settings = .object(members)
        }
    }
}

private let traps: [Trap] = [
    Trap(
        flaw: .chargeWithoutKey,
        faults: { shop in
            shop.at(.milliseconds(800)) { shop.arm("bank", .init(.timeoutAfter, every: 2)) }
        }
    ),
    Trap(flaw: .emitOutsideTurn, kills: 30),
    Trap(flaw: .lostCompensation, orders: 120),
    Trap(
        flaw: .oversell,
        topology: settings(
            of: "inventory",
            ["stockPerProduct": 4, "reorderPoint": 0, "products": 200]
        ),
        orders: 200
    ),
    Trap(flaw: .acknowledgeBeforeCommit, kills: 30),
    Trap(
        flaw: .staleEpochAccepted,
        topology: { topology in
            for index in topology.services.indices where topology.services[index].name == "orders" {
                topology.services[index].instances = 2
            }
        },
        faults: { shop in
            shop.at(.milliseconds(100)) { shop.kill("orders-2", downFor: .seconds(2)) }
            shop.at(.milliseconds(800)) { shop.pause("orders-1", for: .seconds(5)) }
        }
    ),
]

private func run(_ trap: Trap, seed: UInt64, isPlanted: Bool) throws -> Verdict {
    var topology = try shopTopology()
    trap.topology(&topology)
    let flaws = Flaws(names: isPlanted ? [trap.flaw.rawValue] : [])
    let shop = SimulatedShop(
        topology: topology,
        orders: trap.orders,
        seed: seed,
        flaws: flaws
    )
    var random = SeededRandom(seed: seed).split("kills")
    let names = shop.processNames
    for _ in 0..<trap.kills {
        let name = names[random.below(names.count)]
        let time = Duration.microseconds(300_000 + random.below(4_000_000))
        shop.at(time) { shop.kill(name, downFor: .milliseconds(20)) }
    }
    trap.faults(shop)
    shop.start()
    _ = try shop.runToRest(within: .seconds(120))
    return try shop.verdict()
}

@Test(arguments: traps.indices)
func `a planted bug is caught, and the same run without it passes`(index: Int) throws {
    let trap = traps[index]
    var caught: UInt64?
    for seed in UInt64(1)...20 {
        let healthy = try run(trap, seed: seed, isPlanted: false)
        #expect(
            healthy.outcome == .passed,
            "\(trap.flaw.rawValue), seed \(seed), not planted: \(healthy.text(color: false))"
        )
        let verdict = try run(trap, seed: seed, isPlanted: true)
        guard verdict.outcome == .failed else { continue }
        #expect(!verdict.witness.isEmpty)
        caught = seed
        break
    }
    #expect(caught != nil, "\(trap.flaw.rawValue) was caught by no seed")
}
