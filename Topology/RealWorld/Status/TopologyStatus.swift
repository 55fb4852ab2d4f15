import Mesh

/// How a running topology is, at one moment: what the live table and `squall ps` show.
package struct TopologyStatus: Sendable, Hashable {
    package enum Phase: String, Sendable, CaseIterable {
        /// Processes start; no orders are placed yet.
        case starting
        /// Orders are placed.
        case running
        /// No new orders; those under way end.
        case draining
        /// Everything is stopped.
        case ended
    }

    /// One process.
    package struct Process: Sendable, Hashable {
        package var name: String
        /// What the supervisor says: `ready`, `starting`, `paused`, `backing off`.
        package var state: String
        package var pid: Int?
        /// Nil where the process handles no events.
        package var eventsPerSecond: Int?
        /// How many events wait for it.
        package var lag: Int?
        /// By how many events a second it catches up, where it had fallen behind.
        package var catchUpPerSecond: Int?
        /// How long until it has caught up, at this pace.
        package var caughtUpIn: Duration?
        package var p99: Duration?
        package var restarts = 0
        package var memoryKibibytes: Int?
        /// The service that it is an instance of.
        package var service: String?
        /// The partitions that it owns; nil where it is no instance.
        package var partitions: [Int]?

        package init(name: String, state: String) {
            self.name = name
            self.state = state
        }
    }

    /// A fault that is armed.
    package struct Fault: Sendable, Hashable {
        package var text: String
        /// What `squall heal` calls it; nil for one that stands in the topology file.
        package var number: Int?
        package var bitten: Int
        /// How long until it heals by itself; nil for never.
        package var remaining: Duration?

        package init(text: String, number: Int? = nil, bitten: Int, remaining: Duration?) {
            self.text = text
            self.number = number
            self.bitten = bitten
            self.remaining = remaining
        }
    }

    /// Something that happened, for a reader to follow.
    package struct Happening: Sendable, Hashable {
        package enum Tone: String, Sendable { case neutral, good, bad }

        /// The time since the start.
        package var after: Duration
        package var text: String
        package var tone: Tone

        package init(after: Duration, text: String, tone: Tone) {
            self.after = after
            self.text = text
            self.tone = tone
        }
    }

    /// What became of the orders.
    package struct Orders: Sendable, Hashable {
        package var placed = 0
        package var confirmed = 0
        package var cancelled = 0
        package var inProgress = 0
        package var capturedCents: Int64 = 0
        package var refundedCents: Int64 = 0
        /// From the moment an order was meant to be placed to its end.
        package var p50: Duration?
        package var p99: Duration?

        package init() {}
    }

    package var run: String
    package var topology: String
    package var phase = Phase.starting
    package var elapsed = Duration.zero
    /// What the load is, in words: `50/s`, `50/s x10`, `history`.
    package var load = ""
    package var processes: [Process] = []
    package var faults: [Fault] = []
    package var orders = Orders()
    /// How far the run is, in millionths; nil where it ends when a person says so.
    package var progress: Int64?
    /// How long it will still take at the pace so far.
    package var timeLeft: Duration?
    /// The last ones, oldest first.
    package var happenings: [Happening] = []

    package init(run: String, topology: String) {
        self.run = run
        self.topology = topology
    }
}

extension TopologyStatus {
    /// The status as it travels over the control socket, and as `squall ps --json` prints it.
    package var json: JSONValue {
        [
            "run": .string(self.run), "topology": .string(self.topology),
            "phase": .string(self.phase.rawValue),
            "elapsedNanoseconds": .int(self.elapsed.inNanoseconds),
            "load": .string(self.load),
            "processes": .array(self.processes.map(\.json)),
            "faults": .array(self.faults.map(\.json)),
            "orders": self.orders.json,
            "progressMillionths": .optional(self.progress.map(Int.init)),
            "timeLeftNanoseconds": .optional(self.timeLeft),
            "happenings": .array(self.happenings.map(\.json)),
        ]
    }

    /// Reads a status; nil where it is none.
    package init?(json: JSONValue) {
        guard let run = json["run"]?.string, let topology = json["topology"]?.string,
            let phase = (json["phase"]?.string).flatMap(Phase.init(rawValue:))
        else { return nil }
        self.init(run: run, topology: topology)
        self.phase = phase
        self.elapsed = .nanoseconds(json["elapsedNanoseconds"]?.int ?? 0)
        self.load = json["load"]?.string ?? ""
        self.processes = (json["processes"]?.array ?? []).compactMap(Process.init(json:))
        self.faults = (json["faults"]?.array ?? []).compactMap(Fault.init(json:))
        if let orders = json["orders"] { self.orders = Orders(json: orders) }
        self.progress = json["progressMillionths"]?.int
        self.timeLeft = json["timeLeftNanoseconds"]?.int.map(Duration.nanoseconds)
        self.happenings = (json["happenings"]?.array ?? []).compactMap(Happening.init(json:))
    }
}

extension TopologyStatus.Process {
    var json: JSONValue {
        [
            "name": .string(self.name), "state": .string(self.state),
            "pid": .optional(self.pid), "eventsPerSecond": .optional(self.eventsPerSecond),
            "lag": .optional(self.lag),
            "catchUpPerSecond": .optional(self.catchUpPerSecond),
            "caughtUpInNanoseconds": .optional(self.caughtUpIn),
            "p99Nanoseconds": .optional(self.p99),
            "restarts": .int(Int64(self.restarts)),
            "memoryKibibytes": .optional(self.memoryKibibytes),
            "service": self.service.map { .string($0) } ?? .null,
            "partitions": self.partitions.map { .array($0.map { .int(Int64($0)) }) } ?? .null,
        ]
    }

    init?(json: JSONValue) {
        guard let name = json["name"]?.string, let state = json["state"]?.string else { return nil }
        self.init(name: name, state: state)
        self.pid = json["pid"]?.integer
        self.eventsPerSecond = json["eventsPerSecond"]?.integer
        self.lag = json["lag"]?.integer
        self.catchUpPerSecond = json["catchUpPerSecond"]?.integer
        self.caughtUpIn = json["caughtUpInNanoseconds"]?.nanoseconds
        self.p99 = json["p99Nanoseconds"]?.nanoseconds
        self.restarts = json["restarts"]?.integer ?? 0
        self.memoryKibibytes = json["memoryKibibytes"]?.integer
        self.service = json["service"]?.string
        self.partitions = json["partitions"]?.array?.compactMap(\.integer)
    }
}

extension TopologyStatus.Fault {
    package var json: JSONValue {
        [
            "fault": .string(self.text), "number": .optional(self.number),
            "bitten": .int(Int64(self.bitten)),
            "remainingNanoseconds": .optional(self.remaining),
        ]
    }

    package init?(json: JSONValue) {
        guard let text = json["fault"]?.string else { return nil }
        self.init(
            text: text,
            number: json["number"]?.integer,
            bitten: json["bitten"]?.integer ?? 0,
            remaining: json["remainingNanoseconds"]?.nanoseconds
        )
    }
}

extension TopologyStatus.Orders {
    var json: JSONValue {
        [
            "placed": .int(Int64(self.placed)), "confirmed": .int(Int64(self.confirmed)),
            "cancelled": .int(Int64(self.cancelled)), "inProgress": .int(Int64(self.inProgress)),
            "capturedCents": .int(self.capturedCents), "refundedCents": .int(self.refundedCents),
            "p50Nanoseconds": .optional(self.p50), "p99Nanoseconds": .optional(self.p99),
        ]
    }

    init(json: JSONValue) {
        self.init()
        self.placed = json["placed"]?.integer ?? 0
        self.confirmed = json["confirmed"]?.integer ?? 0
        self.cancelled = json["cancelled"]?.integer ?? 0
        self.inProgress = json["inProgress"]?.integer ?? 0
        self.capturedCents = json["capturedCents"]?.int ?? 0
        self.refundedCents = json["refundedCents"]?.int ?? 0
        self.p50 = json["p50Nanoseconds"]?.nanoseconds
        self.p99 = json["p99Nanoseconds"]?.nanoseconds
    }
}

extension TopologyStatus.Happening {
    var json: JSONValue {
        [
            "afterNanoseconds": .int(self.after.inNanoseconds), "text": .string(self.text),
            "tone": .string(self.tone.rawValue),
        ]
    }

    init?(json: JSONValue) {
        guard let text = json["text"]?.string else { return nil }
        self.init(
            after: json["afterNanoseconds"]?.nanoseconds ?? .zero,
            text: text,
            tone: (json["tone"]?.string).flatMap(Tone.init(rawValue:)) ?? .neutral
        )
    }
}

extension JSONValue {
    static func optional(_ number: Int?) -> JSONValue {
        number.map { .int(Int64($0)) } ?? .null
    }

    static func optional(_ duration: Duration?) -> JSONValue {
        duration.map { .int($0.inNanoseconds) } ?? .null
    }

    var integer: Int? { self.int.map { Int(clamping: $0) } }
    var nanoseconds: Duration? { self.int.map { Duration.nanoseconds($0) } }
}
