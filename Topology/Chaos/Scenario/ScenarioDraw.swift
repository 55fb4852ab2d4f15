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
    /// Whether seeds also change rate, stock, timeouts, windows, instances and snapshots.
    package var varies = true

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
        if self.varies { Self.vary(&scenario) }
        scenario.faults = FaultSchedule.draw(
            seed: seed,
            topology: scenario.topology,
            orders: self.orders,
            count: self.faultCount
        )
        return scenario
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

/// Draws faults from a seed.
package enum FaultSchedule {
    /// The kinds that are drawn.
    package static let kinds: [Fault.Kind] = [
        .kill, .pause, .slow, .cut, .delay, .drop, .duplicate, .down, .slowAnswers, .timeoutAfter,
        .answersTwice, .failedSync,
    ]

    /// Returns `count` faults for a run of that topology.
    package static func draw(
        seed: UInt64,
        topology: Topology,
        orders: Int,
        count: Int
    ) -> [Fault] {
        guard count > 0 else { return [] }
        var random = SeededRandom(seed: seed).split("faults")
        let targets = Targets(topology)
        var kinds = Self.kinds.filter { targets.has($0.aim) }
        let drawn = kinds.filter { _ in random.chance(1, in: 2) }
        if !drawn.isEmpty { kinds = drawn }
        let rate = max(1, topology.load?.rate ?? 20)
        let ramp = Int((topology.load?.ramp ?? .zero).inMilliseconds)
        let span = max(500, ramp + orders * 1000 / rate)
        return (0..<count).map { _ in
            Self.fault(kinds[random.below(kinds.count)], targets, span, orders, &random)
        }
    }

    private static func fault(
        _ kind: Fault.Kind,
        _ targets: Targets,
        _ span: Int,
        _ orders: Int,
        _ random: inout SeededRandom
    ) -> Fault {
        var trigger = Fault.Trigger.at(.milliseconds(random.below(span + 500)))
        let (type, source) =
            targets.events.isEmpty
            ? ("", "") : targets.events[random.below(targets.events.count)]
        let number = 1 + random.below(max(1, orders))
        // Half of them strike while the event is on its way, the others any time soon.
        let isClose = random.chance(1, in: 2)
        let plus = Duration.microseconds(5 * random.below(isClose ? 30 : 400))
        if random.chance(1, in: 2), !type.isEmpty {
            trigger = .after(Fault.EventName(number: number, type: type, source: source), plus)
        }
        var fault = Fault(kind, "hub", trigger, for: .milliseconds(20 + random.below(2000)))
        switch kind {
        case .kill:
            let isHub = random.chance(1, in: 5)
            let process = targets.processes[random.below(targets.processes.count)]
            fault.target = isHub ? "hub" : process
            let isLong = random.chance(1, in: 8)
            fault.duration = .microseconds(500 + random.below(isLong ? 2_000_000 : 80_000))
        case .pause:
            fault.target = targets.instances[random.below(targets.instances.count)]
            let isLong = random.chance(1, in: 3)
            fault.duration = .milliseconds(5 + random.below(isLong ? 6000 : 1500))
        case .slow:
            fault.target = targets.services[random.below(targets.services.count)]
            fault.parameters.by = .milliseconds(1 + random.below(20))
            fault.duration = .milliseconds(20 + random.below(600))
        case .cut, .delay, .drop, .duplicate:
            (fault.target, fault.to) = targets.links[random.below(targets.links.count)]
            let delay = 1 + random.below(200)
            let loss = Ratio(Int64(50 + random.below(400)), 1000)
            let repetition = Ratio(Int64(100 + random.below(900)), 1000)
            switch kind {
            case .delay: fault.parameters.by = .milliseconds(delay)
            case .drop: fault.parameters.chance = loss ?? .one
            case .duplicate: fault.parameters.chance = repetition ?? .one
            default: break
            }
        case .down, .slowAnswers, .timeoutAfter, .answersTwice:
            fault.target = targets.parties[random.below(targets.parties.count)]
            if kind == .slowAnswers {
                fault.parameters.by = .milliseconds(50 + random.below(2500))
            } else {
                fault.parameters.every = 1 + random.below(3)
            }
        case .failedSync: fault.duration = .zero
        default: break
        }
        return fault
    }

    /// What faults can be done to in a topology.
    private struct Targets {
        var processes = ["hub"]
        var instances: [String] = []
        var services: [String] = []
        var links: [(String, String)] = []
        var parties: [String] = []
        var events: [(type: String, source: String)] = []

        init(_ topology: Topology) {
            for service in topology.services {
                self.services.append(service.name)
                for number in 1...max(1, service.instances) {
                    self.instances.append("\(service.name)-\(number)")
                }
                for topic in topology.topics where service.emits.contains(topic.name) {
                    self.events += topic.types.map { ($0, service.name) }
                }
            }
            for party in topology.outside {
                if party.kind == .shoppers {
                    for topic in topology.topics where party.emits.contains(topic.name) {
                        self.events += topic.types.map { ($0, party.name) }
                    }
                } else {
                    self.parties.append(party.name)
                }
            }
            self.processes += self.instances + self.parties
            let services = self.services
            self.links = topology.links.filter { services.contains($0.to) }
                .map { ($0.from, $0.to) }
        }

        func has(_ aim: Fault.Aim) -> Bool {
            switch aim {
            case .process: !self.instances.isEmpty
            case .disk: true
            case .load: false
            case .service: !self.services.isEmpty
            case .link: !self.links.isEmpty
            case .party: !self.parties.isEmpty
            }
        }
    }
}
