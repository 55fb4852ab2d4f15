import Mesh
import TopologyFile

/// Everything that makes a run what it is: topology, load, faults, planted bugs and seed.
///
/// The same scenario under the same seed is the same run, to the last byte.
package struct Scenario: Sendable, Hashable {
    /// How a run decides what happens next, among what could.
    package enum Strategy: String, Sendable, Hashable, CaseIterable {
        /// When it is due; links and jobs take random times and turns.
        case random
        /// By priorities of the processes, drawn at random and changed a few times: probabilistic
        /// concurrency testing.
        case pct
    }

    package var topology: Topology
    /// How many orders are placed.
    package var orders: Int
    /// Decides everything that is not said here: what is ordered, who goes first, how long
    /// messages take.
    package var seed: UInt64
    package var faults: [Fault] = []
    /// The planted bugs.
    package var flaws: [String] = []
    package var strategy = Strategy.random
    /// The invariants that are not judged.
    package var without: [String] = []
    /// A snapshot is taken after at most this many commits; nil for what each service says.
    package var snapshotEvery: Int?
    /// The least time that a run takes.
    package var atLeast = Duration.seconds(60)
    /// How long after the last fault has healed everything may take to come to rest.
    package var convergesWithin = Duration.seconds(120)

    package init(topology: Topology, orders: Int, seed: UInt64) {
        self.topology = topology
        self.orders = orders
        self.seed = seed
    }
}

extension Scenario {
    /// The scenario as a file has it.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("seed", .string(String(self.seed))),
            .init("orders", .int(Int64(self.orders))),
            .init("faults", .array(self.faults.map(\.json))),
            .init("flaws", .array(self.flaws.map { .string($0) })),
            .init("strategy", .string(self.strategy.rawValue)),
        ]
        if !self.without.isEmpty {
            members.append(.init("without", .array(self.without.map { .string($0) })))
        }
        if let snapshotEvery {
            members.append(.init("snapshotEvery", .int(Int64(snapshotEvery))))
        }
        members.append(.init("atLeast", .string(self.atLeast.text)))
        members.append(.init("convergesWithin", .string(self.convergesWithin.text)))
        members.append(.init("topology", self.topology.normalized()))
        return .object(members)
    }

    /// Reads a scenario file; `topologyFile` reads the topology where the file only names it.
    package init(
        _ json: JSONValue,
        file: String,
        topologyFile: (String) throws(ScenarioError) -> Topology
    ) throws(ScenarioError) {
        guard json.object != nil else { throw ScenarioError("\(file) is no scenario") }
        guard let seed = json["seed"].flatMap(Self.seed) else {
            throw ScenarioError("\(file): 'seed' must be a whole number from 0")
        }
        guard let orders = json["orders"]?.int, (0...10_000_000).contains(orders) else {
            throw ScenarioError("\(file): 'orders' must be a whole number from 0")
        }
        let topology: Topology
        switch json["topology"] {
        case .string(let path)?: topology = try topologyFile(path)
        case .object?:
            do {
                topology = try Topology.parse(json["topology"]?.text ?? "", file: file)
            } catch {
                throw ScenarioError("\(file): topology: \(error)")
            }
        default: throw ScenarioError("\(file): 'topology' must be a file's name or an object")
        }
        self.init(topology: topology, orders: Int(orders), seed: seed)
        self.flaws = (json["flaws"]?.array ?? []).compactMap(\.string)
        self.without = (json["without"]?.array ?? []).compactMap(\.string)
        if let found = json["strategy"] {
            guard let strategy = found.string.flatMap(Strategy.init(rawValue:)) else {
                let known = Strategy.allCases.map(\.rawValue).joined(separator: " or ")
                throw ScenarioError("\(file): 'strategy' must be \(known), not \(found.text)")
            }
            self.strategy = strategy
        }
        self.snapshotEvery = json["snapshotEvery"]?.int.map { max(1, Int(clamping: $0)) }
        for (index, fault) in (json["faults"]?.array ?? []).enumerated() {
            do {
                self.faults.append(try Fault(fault))
            } catch {
                throw ScenarioError("\(file): faults[\(index)]: \(error.message)")
            }
        }
        self.atLeast = try Self.duration(json, "atLeast", file) ?? self.atLeast
        self.convergesWithin =
            try Self.duration(json, "convergesWithin", file) ?? self.convergesWithin
    }

    private static func seed(_ json: JSONValue) -> UInt64? {
        if let text = json.string { return UInt64(text) }
        return json.int.flatMap { UInt64(exactly: $0) }
    }

    private static func duration(
        _ json: JSONValue,
        _ name: String,
        _ file: String
    ) throws(ScenarioError) -> Duration? {
        guard let value = json[name] else { return nil }
        guard let duration = value.string.flatMap({ Duration(text: $0) }) else {
            throw ScenarioError("\(file): '\(name)' must be a duration such as \"60s\"")
        }
        return duration
    }
}
