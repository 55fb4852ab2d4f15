import Chaos
import Mesh
import OutsideParties
import ProbeService
import ServiceKit
import SimulatedWorld
import Testing
import TopologyFile

/// A hub, a bank and a probe in one of the two worlds, and what a test does to them.
protocol Trial: AnyObject {
    /// Publishes an event to the probe.
    func publish<E: Event>(_ event: E) throws
    /// Starts one more instance of the probe.
    func start(_ instance: String) throws
    /// Kills `hub` or an instance, and starts it again at once.
    func restart(_ process: String) throws
    /// Lets an instance stand still for a while.
    func pause(_ instance: String, for duration: Duration) throws
    /// Lets time pass until something holds; throws when it takes too long.
    func wait(for what: String, until holds: () throws -> Bool) throws
    /// Everything that is durable so far.
    func records() throws -> [LogRecord]
    /// What the hub refused.
    func audit() throws -> [JSONValue]
    /// What instances logged: the level, and the line with the partition before it.
    func logged() throws -> [(level: LogLevel, text: String)]
    /// The ledger of the bank.
    func bank() throws -> BankLedger
}

struct TrialError: Error, CustomStringConvertible {
    let description: String
}

/// Starts a trial in that world.
func trial(in world: World) throws -> any Trial {
    let topology = try Topology.parse(
        """
        {
          name: "conformance",
          services: {
            probe: {
              executable: "Probe", consumes: ["asked"], emits: ["answered"],
              settings: { greeting: "hello" },
            },
          },
          topics: {
            asked: { partitions: 2 },
            answered: { types: ["probe.answered.v1"], recordOnly: true },
            elsewhere: { types: ["probe.undeclared.v1"], recordOnly: true },
          },
          links: [{ from: "asker", to: "probe" }, { from: "probe", to: "bank" }],
          outside: {
            asker: { kind: "shoppers", emits: ["asked", "elsewhere"] },
            bank: { kind: "bank" },
          },
          limits: { attemptsMax: 4 },
        }
        """,
        file: "conformance.json"
    )
    switch world {
    case .simulated: return SimulatedTrial(topology)
    case .real: return try RealTrial(topology)
    }
}

extension Trial {
    /// What the probe answered about someone, in the order of the log.
    func answers(to who: String) throws -> [(event: EventEnvelope, content: Answered)] {
        try self.records().flatMap(\.events).map(\.event)
            .filter { $0.type == Answered.type && $0.subject == who }
            .map { ($0, try Answered(decoding: $0.data)) }
    }

    /// Waits until there are that many answers to someone, and returns them.
    @discardableResult
    func answers(
        to who: String,
        count: Int
    ) throws -> [(event: EventEnvelope, content: Answered)] {
        try self.wait(for: "\(count) answers to \(who)") {
            try self.answers(to: who).count >= count
        }
        return try self.answers(to: who)
    }

    /// The turns that handled events of someone; timers and what came of them are not among them.
    func turns(about who: String) throws -> [RecordedTurn] {
        let records = try self.records()
        var places: Set<[UInt64]> = []
        for record in records {
            guard case .published(_, _, let events) = record.body else { continue }
            for event in events where event.event.subject == who {
                places.insert([UInt64(event.topic), UInt64(event.partition), event.offset])
            }
        }
        return records.compactMap { record in
            guard case .turn(let turn) = record.body else { return nil }
            let isAbout = turn.acknowledged.contains {
                places.contains([UInt64($0.topic), UInt64(turn.partition), $0.offset])
            }
            return isAbout ? turn : nil
        }
    }

    /// The event that was published of someone.
    func published(_ who: String) throws -> [EventEnvelope] {
        try self.records().flatMap { record -> [RecordedEvent] in
            if case .published(_, _, let events) = record.body { events } else { [] }
        }.map(\.event).filter { $0.subject == who }
    }

    /// The partition of someone.
    func partition(of who: String) -> Int { StableHash.partition(of: who, among: 2) }
}
