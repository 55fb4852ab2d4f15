import Mesh
import TopologyFile

/// Draws scenarios from seeds: which kinds of faults exist, when they strike, and how the shop is
/// set up.
///
/// Each seed first draws the kinds that may occur (swarm), so that rare combinations get their
/// turn. Every purpose has a source of chance of its own: more faults do not change the load.
package struct ScenarioDraw: Sendable {
    package var topology: Topology
    package var orders: Int
    package var faultCount: Int
    package var flaws: [String] = []
    /// The invariants that are not judged.
    package var exceptions: Set<String> = []
    /// The strategy of all seeds; nil where each seed draws its own.
    package var strategy: Scenario.Strategy?
    /// Whether seeds also change rate, stock, timeouts, windows, instances and snapshots, and
    /// whether services are scaled, restarted and rewound, and the bank is overloaded.
    package var varies = true
    /// Whether the log rots in a few seeds, whose scenario then expects the hub to stop.
    package var rots = false

    package init(topology: Topology, orders: Int = 100, faultCount: Int = 10) {
        self.topology = topology
        self.orders = orders
        self.faultCount = faultCount
    }

    /// Returns the scenario of a seed.
    package func scenario(seed: UInt64) -> Scenario {
        var scenario = Scenario(topology: self.topology, orders: self.orders, seed: seed)
        scenario.name = "sim"
        scenario.flaws = self.flaws
        scenario.exceptions = self.exceptions
        scenario.strategy = self.strategy ?? Self.strategy(of: seed)
        if self.varies { Self.vary(&scenario) }
        scenario.faults = FaultSchedule.draw(
            seed: seed,
            topology: scenario.topology,
            orders: self.orders,
            count: self.faultCount
        )
        if self.varies {
            scenario.operations = Self.operations(in: scenario)
            Self.overload(&scenario)
            if self.rots { Self.rot(&scenario) }
        }
        return scenario
    }

    /// In some seeds a bank can do little more than it is asked to, and is down for a while: it
    /// only catches up where few calls are tried again.
    private static func overload(_ scenario: inout Scenario) {
        var random = SeededRandom(seed: scenario.seed).split("overload")
        let banks = scenario.topology.outside.indices.filter {
            scenario.topology.outside[$0].kind == .bank
        }
        guard let bank = banks.first, !scenario.faults.isEmpty, random.chance(1, in: 12)
        else { return }
        let name = scenario.topology.outside[bank].name
        scenario.topology.load?.rate = 25
        scenario.topology.limits.mesh.backoffMin = .milliseconds(20)
        scenario.topology.limits.mesh.backoffMax = .seconds(1)
        scenario.topology.limits.mesh.attemptsMax = 10_000
        scenario.topology.limits.mesh.window = 64
        scenario.topology.outside[bank].settings.replace("capacity", by: 40)
        let callers = scenario.topology.links.filter { $0.to == name }.map(\.from)
        for index in scenario.topology.services.indices
        where callers.contains(scenario.topology.services[index].name) {
            scenario.topology.services[index].settings.replace("callTimeout", by: "300ms")
            scenario.topology.services[index].settings.replace("retryBudget", by: "10%")
        }
        // What nobody can read would be tried again that often, too.
        scenario.faults.removeAll { $0.kind == .poison }
        let start = Duration.milliseconds(random.below(1000))
        scenario.faults.append(Fault(.down, name, .at(start), for: .seconds(1)))
    }

    /// In a few seeds nothing happens but that a bit of the log flips, and that the hub must read
    /// its log again: it has to name the place.
    private static func rot(_ scenario: inout Scenario) {
        var random = SeededRandom(seed: scenario.seed).split("rot")
        guard scenario.orders >= 20, !scenario.faults.isEmpty, random.chance(1, in: 40)
        else { return }
        let number = scenario.orders / 5 + random.below(scenario.orders / 5)
        guard let published = FaultSchedule.published(in: scenario.topology) else { return }
        let event = Fault.EventName(number: number, type: published.type, source: published.source)
        let later = Duration.milliseconds(1 + random.below(100))
        scenario.operations = []
        scenario.faults = [
            Fault(.bitRot, "hub", .after(event, .zero), for: .zero),
            Fault(.kill, "hub", .after(event, later), for: .zero),
        ]
        scenario.expects = "log-readable"
    }

    /// Draws what is done on purpose meanwhile, in a third of the seeds.
    private static func operations(in scenario: Scenario) -> [Operation] {
        var random = SeededRandom(seed: scenario.seed).split("operations")
        let services = scenario.topology.services.map(\.name)
        guard !services.isEmpty, random.chance(1, in: 3) else { return [] }
        let rate = max(1, scenario.topology.load?.rate ?? 20)
        let span = 1000 + scenario.orders * 1000 / rate
        var operations = (0...random.below(3)).map { _ in
            Operation(
                [.scale, .restart, .roll, .rewind, .rewind][random.below(5)],
                services[random.below(services.count)],
                instances: 1 + random.below(3),
                .at(.milliseconds(random.below(span)))
            )
        }
        // Who only counts what the others did is who is rewound in earnest.
        let last = services.filter { name in
            !scenario.topology.links.contains { $0.from == name && services.contains($0.to) }
        }
        var rewinds = SeededRandom(seed: scenario.seed).split("rewinds")
        for index in operations.indices
        where operations[index].kind == .rewind && !last.isEmpty && rewinds.chance(1, in: 2) {
            operations[index].service = last[rewinds.below(last.count)]
        }
        return operations
    }

    /// Draws how a run decides what happens next.
    private static func strategy(of seed: UInt64) -> Scenario.Strategy {
        var random = SeededRandom(seed: seed).split("strategy")
        return random.chance(1, in: 2) ? .pct : .random
    }

    /// Draws the set-up that differs from run to run.
    private static func vary(_ scenario: inout Scenario) {
        var random = SeededRandom(seed: scenario.seed).split("variation")
        let rates = [5, 50, 200, 20, 20, 20]
        let rate = rates[random.below(rates.count)]
        scenario.topology.load?.rate = rate
        let window = [1, 3, 16, 64, 256, 256][random.below(6)]
        scenario.topology.limits.mesh.window = min(window, scenario.topology.limits.mesh.window)
        if random.chance(2, in: 3) { scenario.snapshotEvery = 1 + random.below(20) }
        let isTight = random.chance(1, in: 3)
        let stock = 3 + random.below(12)
        let reorders = random.chance(1, in: 2)
        if isTight {
            scenario.topology.load?.products = 12
            scenario.topology.set(
                "inventory",
                "stockPerProduct",
                .int(Int64(stock))
            )
            scenario.topology.set("inventory", "reorderPoint", reorders ? 2 : 0)
            scenario.topology.set("inventory", "reorderQuantity", .int(Int64(stock)))
        }
        let isHasty = random.chance(1, in: 3)
        let payment = 300 + random.below(3000)
        let stockTime = 300 + random.below(3000)
        if isHasty {
            scenario.topology.set("orders", "paymentTimeout", .string("\(payment)ms"))
            scenario.topology.set("orders", "stockTimeout", .string("\(stockTime)ms"))
        }
        let services = scenario.topology.services.count
        let doubled = random.below(max(services, 1))
        var money = SeededRandom(seed: scenario.seed).split("declines")
        let declines = ["0%", "5%", "5%", "20%"][money.below(4)]
        for index in scenario.topology.outside.indices
        where scenario.topology.outside[index].kind == .bank {
            scenario.topology.outside[index].settings = ["declines": .string(declines)]
        }
        switch random.below(6) {
        case 0: for index in 0..<services { scenario.topology.services[index].instances = 2 }
        case 1, 2: if services > 0 { scenario.topology.services[doubled].instances = 2 }
        default: break
        }
    }
}

extension Topology {
    /// Changes a setting of a service that has it.
    fileprivate mutating func set(_ service: String, _ name: String, _ value: JSONValue) {
        guard let index = self.services.firstIndex(where: { $0.name == service }) else { return }
        var members = self.services[index].settings.object ?? []
        guard let place = members.firstIndex(where: { $0.name == name }) else { return }
        members[place].value = value
        self.services[index].settings = .object(members)
    }
}

extension JSONValue {
    /// Sets a member of an object, which may not be there yet.
    fileprivate mutating func replace(_ name: String, by value: JSONValue) {
        var members = self.object ?? []
        members.removeAll { $0.name == name }
        members.append(.init(name, value))
        self = .object(members)
    }
}
