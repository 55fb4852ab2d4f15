import Mesh
import TopologyFile

/// Draws faults from a seed.
package enum FaultSchedule {
    /// The kinds that are drawn: those that every correct topology survives, which a rotten disk
    /// is not.
    package static let kinds = Fault.Kind.allCases.filter { $0 != .bitRot }

    /// How many drawn faults may end the hub's process: one more in a short time and the
    /// supervisor gives it up, as it should.
    private static let fatalMax = RestartPolicy().crashLoopCount - 1

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
        var fatal = 0
        var faults = (0..<count).map { _ in
            var kind = kinds[random.below(kinds.count)]
            if kind == .failedSync || kind == .tornWrite {
                fatal += 1
                if fatal > Self.fatalMax { kind = .slowSync }
            }
            return Self.fault(kind, targets, span, orders, &random)
        }
        var pairs = SeededRandom(seed: seed).split("pairs")
        if pairs.chance(1, in: 3) { Self.addFencing(&faults, targets, span, &pairs) }
        if pairs.chance(1, in: 3) { Self.addHubKills(&faults, targets, orders, &pairs) }
        return faults
    }

    /// Lets two faults do what seldom meets by chance: an owner stands still for so long that the
    /// hub gives its partitions to another instance, which comes back meanwhile.
    private static func addFencing(
        _ faults: inout [Fault],
        _ targets: Targets,
        _ span: Int,
        _ random: inout SeededRandom
    ) {
        guard faults.count >= 2, !targets.siblings.isEmpty else { return }
        let (owner, other) = targets.siblings[random.below(targets.siblings.count)]
        let begin = random.below(span)
        let pause = begin + random.below(500)
        let away = Duration.milliseconds(100 + random.below(900))
        faults[faults.count - 2] = Fault(.kill, other, .at(.milliseconds(begin)), for: away)
        faults[faults.count - 1] = Fault(
            .pause,
            owner,
            .at(.milliseconds(pause)),
            for: .milliseconds(2500 + random.below(4000))
        )
    }

    /// Lets the hub die a moment after it was sent something by an outside party.
    private static func addHubKills(
        _ faults: inout [Fault],
        _ targets: Targets,
        _ orders: Int,
        _ random: inout SeededRandom
    ) {
        let published = targets.events.filter { targets.publishers.contains($0.source) }
        guard !published.isEmpty else { return }
        for index in faults.indices
        where faults[index].kind == .kill && faults[index].target == "hub" {
            let event = published[random.below(published.count)]
            let number = 1 + random.below(max(1, orders))
            faults[index].trigger = .after(
                Fault.EventName(number: number, type: event.type, source: event.source),
                .microseconds(random.below(120))
            )
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
        if kind.isMomentary { fault.duration = .zero }
        switch kind.aim {
        case .process: Self.drawProcess(&fault, targets, &random)
        case .service:
            fault.target = targets.services[random.below(targets.services.count)]
            fault.parameters.by = .milliseconds(1 + random.below(20))
            fault.duration = .milliseconds(20 + random.below(600))
        case .link: Self.drawLink(&fault, targets, &random)
        case .party:
            fault.target = targets.parties[random.below(targets.parties.count)]
            if kind == .slowAnswers {
                fault.parameters.by = .milliseconds(50 + random.below(2500))
            } else {
                fault.parameters.every = 1 + random.below(3)
            }
        case .disk:
            if kind == .slowSync { fault.parameters.by = .milliseconds(1 + random.below(60)) }
        case .load:
            fault.target = targets.publishers[random.below(targets.publishers.count)]
            if kind == .loadSpike { fault.parameters.times = 2 + random.below(9) }
        }
        return fault
    }

    private static func drawProcess(
        _ fault: inout Fault,
        _ targets: Targets,
        _ random: inout SeededRandom
    ) {
        let isHub = random.chance(1, in: 5)
        let process = targets.processes[random.below(targets.processes.count)]
        fault.target = isHub ? "hub" : process
        switch fault.kind {
        case .kill:
            let isLong = random.chance(1, in: 8)
            fault.duration = .microseconds(500 + random.below(isLong ? 2_000_000 : 80_000))
            // Started again at once, as after every other death.
            if random.chance(1, in: 4) { fault.duration = .zero }
        case .pause:
            // Mostly services: one that stands still for long loses what it owns.
            if random.chance(3, in: 4) {
                fault.target = targets.instances[random.below(targets.instances.count)]
            }
            let isLong = random.chance(1, in: 3)
            fault.duration = .milliseconds(5 + random.below(isLong ? 6000 : 1500))
        case .crashLoop:
            fault.parameters.by = .milliseconds(5 + random.below(200))
            fault.duration = .milliseconds(20 + random.below(1000))
        case .slowProcessor: fault.parameters.percent = 1 + random.below(80)
        case .clockSkew: fault.parameters.by = .milliseconds(1 + random.below(5000))
        default: break
        }
    }

    private static func drawLink(
        _ fault: inout Fault,
        _ targets: Targets,
        _ random: inout SeededRandom
    ) {
        (fault.target, fault.to) = targets.links[random.below(targets.links.count)]
        let hops = LinkFault.Hop.allCases
        if random.chance(1, in: 2) { fault.parameters.hop = hops[random.below(hops.count)] }
        let delay = 1 + random.below(200)
        let loss = Ratio(Int64(50 + random.below(400)), 1000) ?? .one
        let repetition = Ratio(Int64(100 + random.below(900)), 1000) ?? .one
        switch fault.kind {
        case .delay: fault.parameters.by = .milliseconds(delay)
        case .hold:
            fault.parameters.by = .milliseconds(delay)
            fault.parameters.chance = loss
        case .drop, .corrupt: fault.parameters.chance = loss
        case .duplicate, .reorder: fault.parameters.chance = repetition
        case .throttle: fault.parameters.rate = 5 + random.below(100)
        default: break
        }
    }

    /// What an outside party publishes; nil where none does.
    static func published(in topology: Topology) -> (type: String, source: String)? {
        let targets = Targets(topology)
        return targets.events.first { targets.publishers.contains($0.source) }
    }

    /// What faults can be done to in a topology.
    private struct Targets {
        var processes = ["hub"]
        var instances: [String] = []
        var services: [String] = []
        var links: [(String, String)] = []
        var parties: [String] = []
        /// Whose events come from outside.
        var publishers: [String] = []
        var events: [(type: String, source: String)] = []
        /// Two instances of one service, both ways round.
        var siblings: [(String, String)] = []

        init(_ topology: Topology) {
            for service in topology.services {
                self.services.append(service.name)
                let names = service.instanceNames
                self.instances += names
                if names.count > 1 {
                    self.siblings += [(names[0], names[1]), (names[1], names[0])]
                }
                for topic in topology.topics where service.emits.contains(topic.name) {
                    self.events += topic.types.map { ($0, service.name) }
                }
            }
            for party in topology.outside {
                if party.kind == .shoppers {
                    self.publishers.append(party.name)
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
            case .load: !self.publishers.isEmpty
            case .service: !self.services.isEmpty
            case .link: !self.links.isEmpty
            case .party: !self.parties.isEmpty
            }
        }
    }
}
