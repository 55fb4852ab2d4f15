import Chaos
import Mesh
import RealWorld
import ServiceKit
import SimulatedWorld
import TopologyFile

/// A scenario written in Swift, word for word as in a scenario file.
///
/// What is written is read by the same reader as a file, so it means the same, and a mistake is
/// named in the same words.
package final class ScenarioWriter {
    private var members: [JSONValue.Member] = []
    private var faults: [JSONValue] = []
    private var operations: [JSONValue] = []
    private var changes = JSONValue.object([])
    private(set) var invariants: [@Sendable (MeshLayout) -> any Invariant] = []
    private(set) var services: [OwnService] = []

    init(name: String, topology: String) {
        self.set("name", .string(name))
        self.set("topology", .string(topology))
    }

    /// The scenario as a file has it; with services of one's own its topology, the file at `path`,
    /// stands in it.
    func json(reading path: String) throws -> JSONValue {
        var members = self.members
        if !self.services.isEmpty {
            let parsed = try Topology.parse(utf8: try FileSystem.read(path), file: path)
            let topology = self.services.reduce(parsed) { $1.place($0) }
            members.removeAll { $0.name == "topology" }
            members.append(.init("topology", topology.normalized()))
        }
        members.append(.init("with", self.changes))
        members.append(.init("faults", .array(self.faults)))
        members.append(.init("operations", .array(self.operations)))
        return .object(members)
    }

    private func set(_ key: String, _ value: JSONValue) {
        self.members.removeAll { $0.name == key }
        self.members.append(.init(key, value))
    }

    // MARK: The topology and its load

    /// Says how many orders are placed.
    package func orders(_ count: Int) { self.set("orders", .int(Int64(count))) }

    /// Says who places orders: so many a second, a multiple of them during the spike.
    ///
    /// Where `length` is given, orders are placed that long instead of a fixed number.
    package func load(rate: Int, for length: Duration? = nil, spike: Spike? = nil) {
        var load: [JSONValue.Member] = [
            .init("rate", .int(Int64(rate))), .init("ramp", .string("0s")),
        ]
        if let spike { load.append(.init("spike", spike.json)) }
        self.with(["load": .object(load)])
        guard let length else { return }
        self.members.removeAll { $0.name == "orders" }
        self.set("for", .string(length.text))
    }

    /// Changes a setting of a service or an outside party.
    package func set(_ name: String, _ setting: String, _ value: JSONValue) {
        let part = ["bank", "mail"].contains(name) ? "outside" : "services"
        let settings = JSONValue.object([.init(setting, value)])
        let change = JSONValue.object([.init(name, ["settings": settings])])
        self.with(.object([.init(part, change)]))
    }

    /// Changes the topology by a JSON merge patch.
    package func with(_ change: JSONValue) { self.changes = self.changes.merging(change) }

    /// Says how many instances a service begins with.
    package func instances(of service: String, _ count: Int) {
        let change: JSONValue = ["instances": .int(Int64(count))]
        self.with(["services": .object([.init(service, change)])])
    }

    /// Adds a service of the test's own, an actor, to the topology, in the simulated world.
    ///
    /// It consumes what it subscribes to; the topics of what it emits are added where there are
    /// none.
    package func service<S: Service>(
        _ service: S.Type,
        emits: [any Event.Type] = [],
        instances: Int = 1,
        settings: JSONValue = .object([])
    ) {
        let emitted = emits.map { (type: $0.type, topic: $0.topic) }
        self.services.append(
            OwnService(
                name: S.name,
                place: { topology in
                    var placed = topology.adding(
                        service,
                        emits: emitted.map(\.topic),
                        instances: instances,
                        settings: settings
                    )
                    for index in placed.topics.indices {
                        for event in emitted where event.topic == placed.topics[index].name {
                            guard !placed.topics[index].types.contains(event.type) else { continue }
                            placed.topics[index].types.append(event.type)
                        }
                    }
                    return placed
                },
                add: { $0.adding(service) }
            )
        )
    }

    // MARK: What goes wrong

    /// Lets things happen that long after the start.
    package func at(_ time: Span, _ deeds: (Moment) -> Void) {
        self.take(deeds, [.init("at", .string("\(time)"))], nil)
    }

    /// Lets faults begin and end.
    package func during(_ time: ClosedRange<Duration>, _ deeds: (Moment) -> Void) {
        let length = time.upperBound - time.lowerBound
        self.take(deeds, [.init("at", .string(time.lowerBound.text))], Span(length))
    }

    /// Lets things happen when an event has become durable: the third
    /// `payments.requested.v1` from `orders`, say.
    package func after(
        _ number: Int = 1,
        _ event: String,
        from source: String,
        plus: Span = .zero,
        _ deeds: (Moment) -> Void
    ) {
        let name: JSONValue = [
            "number": .int(Int64(number)), "event": .string(event), "from": .string(source),
            "plus": .string("\(plus)"),
        ]
        self.take(deeds, [.init("after", name)], nil)
    }

    private func take(
        _ deeds: (Moment) -> Void,
        _ trigger: [JSONValue.Member],
        _ length: Span?
    ) {
        let moment = Moment(trigger: trigger, length: length)
        deeds(moment)
        self.faults += moment.faults
        self.operations += moment.operations
    }

    // MARK: What must hold

    /// Says how long after the last fault everything may take to come to rest.
    package func convergesWithin(_ time: Duration) {
        self.set("convergesWithin", .string(time.text))
    }

    /// Says which of the usual invariants it is not judged by.
    package func except(_ names: String...) {
        self.set("except", .array(names.map { .string($0) }))
    }

    /// Adds an invariant of one's own to the usual ones.
    package func judge(_ invariant: @escaping @Sendable (MeshLayout) -> any Invariant) {
        self.invariants.append(invariant)
    }

    /// Names the planted bugs that must break it: the proof that the test can fail.
    package func brokenBy(_ bugs: String...) {
        self.set("brokenBy", .array(bugs.map { .string($0) }))
    }

    /// Plants bugs.
    package func plant(_ bugs: String...) {
        self.set("flaws", .array(bugs.map { .string($0) }))
    }
}

/// A time in which so many times as many orders are placed.
package struct Spike: Sendable, Hashable {
    let times: Int
    let at: Duration
    let length: Duration

    /// Creates a spike of that many times the rate.
    package static func times(_ times: Int, at: Duration, for length: Duration) -> Spike {
        Spike(times: times, at: at, length: length)
    }

    var json: JSONValue {
        [
            "times": .int(Int64(self.times)), "at": .string(self.at.text),
            "for": .string(self.length.text),
        ]
    }
}

extension Span {
    /// That many seconds.
    package static func seconds(_ count: Int) -> Span { Span(.seconds(count)) }
    /// That many milliseconds.
    package static func milliseconds(_ count: Int) -> Span { Span(.milliseconds(count)) }
    /// That many microseconds.
    package static func microseconds(_ count: Int) -> Span { Span(.microseconds(count)) }
}

/// Makes a span from which each seed draws: `.milliseconds(100) ... .seconds(3)`.
package func ... (least: Duration, most: Duration) -> Span {
    precondition(least <= most, "a span goes from the shorter time to the longer one")
    return Span(ClosedRange(uncheckedBounds: (least, most)))
}
