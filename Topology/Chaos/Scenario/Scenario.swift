import Mesh
import TopologyFile

/// Everything that makes a run what it is: topology, load, faults, planted bugs and seed.
///
/// In the simulated world the same scenario is the same run, to the last byte. Nothing in it is
/// left to chance that the seed does not decide; what a ``ScenarioFile`` leaves open is drawn.
package struct Scenario: Sendable, Hashable {
    /// How a run decides what happens next, among what could.
    package enum Strategy: String, Sendable, Hashable, CaseIterable {
        /// When it is due; links and jobs take random times and turns.
        case random
        /// By priorities of the processes, drawn at random and changed a few times: probabilistic
        /// concurrency testing.
        case pct
    }

    /// What people call it.
    package var name = "scenario"
    package var topology: Topology
    /// How many orders are placed.
    package var orders: Int
    /// Decides everything that is not said here: what is ordered, who goes first, how long
    /// messages take.
    package var seed: UInt64
    package var faults: [Fault] = []
    /// Which fault of the file each of ``faults`` comes from; empty where each is one of its own.
    package var origins: [Int] = []
    package var operations: [Operation] = []
    /// The planted bugs.
    package var flaws: [String] = []
    package var strategy = Strategy.random
    /// The invariants, by name, that it is not judged by.
    package var exceptions: Set<String> = []
    /// The promise that must be broken, as a rotten log is: the run fails where it is not.
    package var expects: String?
    /// A snapshot is taken after at most this many commits; nil for what each service says.
    package var snapshotEvery: Int?
    /// The least time that a simulated run takes.
    package var atLeast = Duration.seconds(60)
    /// How long after the last fault has healed everything may take to come to rest.
    package var convergesWithin = Duration.seconds(120)

    package init(topology: Topology, orders: Int, seed: UInt64) {
        self.topology = topology
        self.orders = orders
        self.seed = seed
    }

    /// Why a world cannot run it: the first fault that it cannot do, and the reason.
    package func obstacle(in world: World) -> String? {
        for fault in self.faults {
            if let reason = fault.kind.obstacle(in: world) {
                return "\(fault.kind.rawValue): \(reason)"
            }
        }
        return nil
    }
}

extension Scenario {
    /// The scenario as a file has it, with the topology inside.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [.init("name", .string(self.name))]
        members.append(.init("seed", .string(String(self.seed))))
        members.append(.init("orders", .int(Int64(self.orders))))
        members.append(.init("strategy", .string(self.strategy.rawValue)))
        members.append(.init("faults", .array(self.faults.map(\.json))))
        if !self.operations.isEmpty {
            members.append(.init("operations", .array(self.operations.map(\.json))))
        }
        members.append(.init("flaws", .array(self.flaws.map { .string($0) })))
        if !self.exceptions.isEmpty {
            let names = self.exceptions.sorted().map { JSONValue.string($0) }
            members.append(.init("except", .array(names)))
        }
        if let expects { members.append(.init("expects", .string(expects))) }
        if let snapshotEvery {
            members.append(.init("snapshotEvery", .int(Int64(snapshotEvery))))
        }
        members.append(.init("atLeast", .string(self.atLeast.text)))
        members.append(.init("convergesWithin", .string(self.convergesWithin.text)))
        members.append(.init("topology", self.topology.normalized()))
        return .object(members)
    }
}

extension Fault {
    /// The fault as an object of a scenario file.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [.init("fault", .string(self.kind.rawValue))]
        if self.kind.aim == .link {
            members.append(.init("from", .string(self.target)))
            members.append(.init("to", .string(self.to)))
        } else {
            members.append(.init("target", .string(self.target)))
        }
        members += self.parameters.members
        members.append(self.trigger.member)
        if self.duration > .zero { members.append(.init("for", .string(self.duration.text))) }
        if self.kind.waitsForBites {
            members.append(.init("untilBitten", .int(Int64(self.untilBitten))))
        }
        if let atMost { members.append(.init("atMost", .string(atMost.text))) }
        if let part { members.append(.init("part", .int(Int64(part)))) }
        return .object(members)
    }
}

extension Operation {
    /// The operation as an object of a scenario file.
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("do", .string(self.kind.rawValue)), .init("service", .string(self.service)),
        ]
        if self.kind == .scale { members.append(.init("to", .int(Int64(self.instances)))) }
        members.append(self.trigger.member)
        return .object(members)
    }
}

extension Fault.Trigger {
    fileprivate var member: JSONValue.Member {
        switch self {
        case .at(let time): .init("at", .string(time.text))
        case .after(let event, let time):
            .init(
                "after",
                [
                    "number": .int(Int64(event.number)), "event": .string(event.type),
                    "from": .string(event.source), "plus": .string(time.text),
                ]
            )
        }
    }
}
