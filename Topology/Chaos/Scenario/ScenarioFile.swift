import Mesh
import TopologyFile

/// A scenario as people write it: what it leaves open, each seed decides.
///
/// Where nothing is left open, every seed gives the same faults, and only load and order differ.
package struct ScenarioFile: Sendable, Hashable {
    package var name: String
    /// What it tries, in a sentence or two.
    package var summary = ""
    /// With what the file changes already applied.
    package var topology: Topology
    /// How many orders are placed.
    package var orders: Int
    /// The one seed of a saved run; nil where any may be tried.
    package var seed: UInt64?
    /// How many seeds are tried in the simulated world when nobody says.
    package var seedCount = 200
    /// The worlds in which it makes sense.
    package var worlds = World.allCases
    package var faults: [WrittenFault] = []
    package var operations: [Operation] = []
    /// The planted bugs it runs with: in saved runs.
    package var flaws: [String] = []
    /// The planted bugs that must break it: the proof that it can fail.
    package var brokenBy: [String] = []
    /// The invariants, by name, that it is not judged by.
    package var exceptions: Set<String> = []
    /// The promise that must be broken; nil where all must be kept.
    package var expects: String?
    /// How a simulated run decides what happens next.
    package var strategy = Scenario.Strategy.random
    package var snapshotEvery: Int?
    package var atLeast = Duration.zero
    package var convergesWithin = Duration.seconds(30)

    package init(name: String, topology: Topology, orders: Int) {
        self.name = name
        self.topology = topology
        self.orders = orders
    }

    /// Returns the scenario of a seed: everything left open is drawn.
    package func scenario(seed: UInt64) -> Scenario {
        var scenario = Scenario(topology: self.topology, orders: self.orders, seed: seed)
        scenario.name = self.name
        scenario.operations = self.operations
        scenario.flaws = self.flaws
        scenario.exceptions = self.exceptions
        scenario.expects = self.expects
        scenario.strategy = self.strategy
        scenario.snapshotEvery = self.snapshotEvery
        scenario.atLeast = self.atLeast
        scenario.convergesWithin = self.convergesWithin
        let random = SeededRandom(seed: seed).split("scenario")
        for (index, written) in self.faults.enumerated() {
            // A source of its own for each, so that one more fault changes no other.
            var own = random.split("fault \(index)")
            let faults = written.faults(in: self.topology, &own)
            // In a saved run each is written by itself.
            let origin = written.part.flatMap { part in
                self.faults.firstIndex { $0.part == part }
            }
            for var fault in faults {
                if faults.count > 1 { fault.part = index }
                scenario.faults.append(fault)
                scenario.origins.append(origin ?? index)
            }
        }
        return scenario
    }

    /// Why a world cannot run it: the first fault that it cannot do; nil where it can.
    package func obstacle(in world: World) -> String? {
        guard self.worlds.contains(world) else {
            return "the file says it is for the \(self.worlds.map(\.rawValue).joined()) world"
        }
        for fault in self.faults {
            if let reason = fault.kind.obstacle(in: world) {
                return "\(fault.kind.rawValue): \(reason)"
            }
        }
        return nil
    }
}

/// A fault as people write it: with several targets, and spans for the seed to draw from.
package struct WrittenFault: Sendable, Hashable {
    /// Which of several targets it is done to.
    package enum Pick: String, Sendable, Hashable, CaseIterable {
        /// To all of them at once.
        case all
        /// To one, which the seed draws.
        case one
    }

    /// In which directions a link is hit.
    package enum Way: String, Sendable, Hashable, CaseIterable {
        /// From `from` to `to` only.
        case one
        /// And back.
        case both
    }

    /// When it begins.
    package enum Trigger: Sendable, Hashable {
        case at(Span)
        case after(Fault.EventName, Span)
    }

    package var kind: Fault.Kind
    /// Processes, services, parties or producers; a service stands for all its instances, and
    /// nothing for everything that it can be done to.
    package var targets: [String] = []
    /// Consumers; nothing for all.
    package var consumers: [String] = []
    package var pick = Pick.all
    package var way = Way.one
    package var trigger: Trigger
    package var duration = Span.zero
    /// How often it must have bitten before it heals; see ``Fault/untilBitten``.
    package var untilBitten = 0
    package var atMost: Duration?
    /// The written fault that it was a part of, in a saved run.
    package var part: Int?
    package var parameters = Fault.Parameters()
    /// What the seed draws ``Fault/Parameters/by`` from.
    package var by: Span?

    package init(_ kind: Fault.Kind, _ targets: [String], _ trigger: Trigger) {
        self.kind = kind
        self.targets = targets
        self.trigger = trigger
    }

    /// Returns the faults that it stands for, all of which begin together.
    package func faults(in topology: Topology, _ random: inout SeededRandom) -> [Fault] {
        let trigger: Fault.Trigger =
            switch self.trigger {
            case .at(let span): .at(span.draw(&random))
            case .after(let event, let span): .after(event, span.draw(&random))
            }
        var parameters = self.parameters
        if let by { parameters.by = by.draw(&random) }
        let duration = self.duration.draw(&random)
        var places = self.places(in: topology)
        if self.pick == .one, places.count > 1 { places = [places[random.below(places.count)]] }
        return places.map { target, to in
            var fault = Fault(self.kind, target, to: to, trigger, for: duration, parameters)
            fault.untilBitten = self.untilBitten
            fault.atMost = self.atMost
            fault.part = self.part
            return fault
        }
    }

    /// What it is done to: targets, and for links both ends.
    private func places(in topology: Topology) -> [(target: String, to: String)] {
        switch self.kind.aim {
        case .process: return self.processes(in: topology).map { ($0, "") }
        case .service: return self.named(topology.services.map(\.name)).map { ($0, "") }
        case .party: return self.named(topology.parties).map { ($0, "") }
        case .disk, .load: return [(self.targets.first ?? "", "")]
        case .link: return self.links(in: topology)
        }
    }

    private func named(_ all: [String]) -> [String] { self.targets.isEmpty ? all : self.targets }

    private func processes(in topology: Topology) -> [String] {
        self.named(topology.services.map(\.name)).flatMap { name in
            topology.service(name)?.instanceNames ?? [name]
        }
    }

    private func links(in topology: Topology) -> [(target: String, to: String)] {
        let services = Set(topology.services.map(\.name))
        let found = topology.links.filter { link in
            guard services.contains(link.to) else { return false }
            let isForth = self.joins(link.from, link.to)
            return isForth || self.way == .both && self.joins(link.to, link.from)
        }
        return found.map { ($0.from, $0.to) }
    }

    private func joins(_ from: String, _ to: String) -> Bool {
        (self.targets.isEmpty || self.targets.contains(from))
            && (self.consumers.isEmpty || self.consumers.contains(to))
    }
}

extension Topology {
    /// The outside parties that services call.
    package var parties: [String] {
        self.outside.filter { $0.kind != .shoppers }.map(\.name)
    }
}

extension Topology.Service {
    /// The names of its processes.
    package var instanceNames: [String] {
        (1...max(1, self.instances)).map { "\(self.name)-\($0)" }
    }
}

/// A duration, or a span from which a seed draws one: `100ms`, `100ms..3s`.
package struct Span: Sendable, Hashable {
    package var least: Duration
    package var most: Duration

    package static let zero = Span(.zero)

    package init(_ duration: Duration) {
        self.least = duration
        self.most = duration
    }

    package init(_ range: ClosedRange<Duration>) {
        self.least = range.lowerBound
        self.most = range.upperBound
    }

    /// Reads `100ms` or `100ms..3s`; nil where the text is neither.
    package init?(text: String) {
        guard let dots = text.firstRange(of: "..") else {
            guard let duration = Duration(text: text) else { return nil }
            self.init(duration)
            return
        }
        guard let least = Duration(text: String(text[..<dots.lowerBound])),
            let most = Duration(text: String(text[dots.upperBound...])), least <= most
        else { return nil }
        self.init(least...most)
    }

    /// Returns one of its durations.
    func draw(_ random: inout SeededRandom) -> Duration {
        let width = (self.most - self.least).inNanoseconds
        guard width > 0 else { return self.least }
        return self.least + .nanoseconds(Int64(random.below(Int(width) + 1)))
    }
}
