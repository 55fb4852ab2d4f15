import Chaos
import Mesh

/// What happens at one moment of a scenario: faults that begin together, and operations.
///
/// No target means everything that a fault can be done to.
package final class Moment {
    private let trigger: [JSONValue.Member]
    /// How long faults last where they do not say it themselves.
    private let length: Span?
    private(set) var faults: [JSONValue] = []
    private(set) var operations: [JSONValue] = []

    init(trigger: [JSONValue.Member], length: Span?) {
        self.trigger = trigger
        self.length = length
    }

    // MARK: Processes

    /// Kills processes; with a time they stay dead that long, else they start again as always.
    package func kill(_ targets: String..., pick: WrittenFault.Pick = .all, for time: Span? = nil) {
        self.add(.kill, targets, pick, time)
    }

    /// Kills processes again and again.
    package func crashLoop(_ targets: String..., every: Duration? = nil, for time: Span? = nil) {
        self.add(.crashLoop, targets, .all, time, [every.map { .init("by", .string($0.text)) }])
    }

    /// Lets processes stand still.
    package func pause(_ targets: String..., pick: WrittenFault.Pick = .all, for time: Span? = nil)
    {
        self.add(.pause, targets, pick, time)
    }

    /// Leaves processes a share of the processor's time.
    package func slowProcessor(_ targets: String..., percent: Int, for time: Span? = nil) {
        self.add(.slowProcessor, targets, .all, time, [.init("percent", .int(Int64(percent)))])
    }

    /// Sets the clocks of processes ahead.
    package func clockSkew(_ targets: String..., by: Span, for time: Span? = nil) {
        self.add(.clockSkew, targets, .all, time, [Self.by(by)])
    }

    /// Lets services handle each event that much later.
    package func slow(_ services: String..., by: Span, for time: Span? = nil) {
        self.add(.slow, services, .all, time, [Self.by(by)])
    }

    // MARK: Links, outside parties, the disk, the load

    /// Names the link from a producer to a consumer, for faults to be done to it.
    package func link(_ from: String..., to: String..., way: WrittenFault.Way = .one) -> Link {
        Link(moment: self, from: from, to: to, way: way)
    }

    /// Names outside parties, for faults to be done to them.
    package func party(_ names: String...) -> Party { Party(moment: self, names: names) }

    /// The hub's disk, for faults to be done to it.
    package var disk: Disk { Disk(moment: self) }

    /// Lets so many times as many orders be placed.
    package func loadSpike(times: Int, for time: Span? = nil) {
        self.add(.loadSpike, [], .all, time, [.init("times", .int(Int64(times)))])
    }

    /// Publishes an event whose data no service can read.
    package func poison() { self.add(.poison, [], .all, nil) }

    /// Lets the fault before go on until it has bitten so often, but only so long.
    ///
    /// Without this it goes on until it has bitten once; 0 is for the clock alone.
    package func untilBitten(_ count: Int, atMost: Duration? = nil) {
        guard var members = self.faults.last?.object else { return }
        members.append(.init("untilBitten", .int(Int64(count))))
        if let atMost { members.append(.init("atMost", .string(atMost.text))) }
        self.faults[self.faults.count - 1] = .object(members)
    }

    // MARK: Operations

    /// Gives a service another number of instances.
    package func scale(_ service: String, to count: Int) {
        self.operate(.scale, service, .init("to", .int(Int64(count))))
    }

    /// Ends all instances of a service in order and starts them again.
    package func restart(_ service: String) { self.operate(.restart, service) }

    /// Restarts the instances of a service one after the other.
    package func roll(_ service: String) { self.operate(.roll, service) }

    /// Lets a service handle its dead letters again.
    package func redrive(_ service: String) { self.operate(.redrive, service) }

    /// Lets a service read its topics from the beginning again.
    package func rewind(_ service: String) { self.operate(.rewind, service) }

    // MARK: Writing it down

    static func by(_ span: Span) -> JSONValue.Member { .init("by", .string("\(span)")) }

    func add(
        _ kind: Fault.Kind,
        _ targets: [String],
        _ pick: WrittenFault.Pick,
        _ time: Span?,
        _ parameters: [JSONValue.Member?] = []
    ) {
        let place = targets.isEmpty ? nil : JSONValue.Member("target", Self.names(targets))
        self.write(kind, at: [place], pick, time, parameters)
    }

    func write(
        _ kind: Fault.Kind,
        at place: [JSONValue.Member?],
        _ pick: WrittenFault.Pick,
        _ time: Span?,
        _ parameters: [JSONValue.Member?]
    ) {
        var members = [JSONValue.Member("fault", .string(kind.rawValue))]
        members += place.compactMap(\.self)
        if pick != .all { members.append(.init("pick", .string(pick.rawValue))) }
        members += parameters.compactMap(\.self) + self.trigger
        if let length = time ?? (kind.isMomentary ? nil : self.length) {
            members.append(.init("for", .string("\(length)")))
        }
        self.faults.append(.object(members))
    }

    private func operate(
        _ kind: Operation.Kind,
        _ service: String,
        _ more: JSONValue.Member? = nil
    ) {
        var members: [JSONValue.Member] = [
            .init("do", .string(kind.rawValue)), .init("service", .string(service)),
        ]
        if let more { members.append(more) }
        self.operations.append(.object(members + self.trigger))
    }

    static func names(_ names: [String]) -> JSONValue {
        names.isEmpty ? "*" : .array(names.map { .string($0) })
    }
}
