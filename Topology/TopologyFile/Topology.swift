import Mesh

/// What a topology file says: services, topics, links, limits, load and outside parties.
package struct Topology: Sendable, Hashable {
    package var name: String
    package var services: [Service] = []
    package var topics: [Topic] = []
    package var links: [Link] = []
    package var outside: [OutsideParty] = []
    /// Nil where nobody places orders.
    package var load: Load?
    package var limits = Limits()
    package var objectives = Objectives()
    package var shutdown = Shutdown()
    package var log = LogFiles()
    private var remarks = Warnings()

    package init(name: String) {
        self.name = name
    }

    /// What looks wrong but does not stop the topology.
    package var warnings: [Problem] {
        get { self.remarks.problems }
        set { self.remarks.problems = newValue }
    }
}

extension Topology {
    /// An actor that handles events, and how its processes are started.
    package struct Service: Sendable, Hashable {
        package var name: String
        package var program: Program
        package var instances = 1
        package var consumes: [String] = []
        package var emits: [String] = []
        package var restart = Restart()
        /// An object, handed to the service as it is.
        package var settings: JSONValue = .object([])

        package init(name: String, program: Program) {
            self.name = name
            self.program = program
        }
    }

    /// What a service's process runs.
    package enum Program: Sendable, Hashable {
        /// An executable beside `squall`, by its name.
        case executable(String)
        /// Any program and its arguments.
        case command([String])
    }

    /// When a process that ended is started again.
    package struct Restart: Sendable, Hashable {
        package enum Policy: String, Sendable, CaseIterable {
            case always
            case onFailure = "on-failure"
            case never
        }

        package var policy = Policy.always
        /// The wait before the second restart in a row; doubles with each further one.
        package var backoffMin = Duration.milliseconds(50)
        package var backoffMax = Duration.seconds(5)
        /// How many exits within ``crashLoopWithin`` are a crash loop.
        package var crashLoopCount = 5
        /// The time in which exits are counted; after a crash loop the process is given up.
        package var crashLoopWithin = Duration.seconds(10)

        package init() {}
    }

    /// A named, durable stream of events.
    package struct Topic: Sendable, Hashable {
        package var name: String
        package var partitions = 4
        package var sync = MeshLayout.SyncPolicy.always
        /// Segments whose events are all older may go; nil keeps them.
        package var retentionAge: Duration?
        /// The oldest segments may go when there is more than this; nil keeps them.
        package var retentionBytes: Int?
        /// The event types it carries.
        package var types: [String] = []
        /// Whether it is meant to be read by people and the judge only, and by no service.
        package var recordOnly = false

        package init(name: String) {
            self.name = name
        }
    }

    /// A declared path: from who emits to the service that consumes, or to the party it calls.
    package struct Link: Sendable, Hashable {
        package var from: String
        package var to: String
        package var faults: [LinkFault]

        package init(from: String, to: String, faults: [LinkFault] = []) {
            self.from = from
            self.to = to
            self.faults = faults
        }
    }

    /// What goes wrong on a link for as long as the topology is up.
    package typealias LinkFault = Mesh.LinkFault

    /// What no team controls: a process of its own, with a ledger of its own.
    package struct OutsideParty: Sendable, Hashable {
        package enum Kind: String, Sendable, CaseIterable {
            case bank, mail, shoppers
        }

        package var name: String
        package var kind: Kind
        /// The topics it publishes to; only shoppers do.
        package var emits: [String] = []
        /// An object, handed to the party as it is.
        package var settings: JSONValue = .object([])
        package var faults: [PartyFault] = []

        package init(name: String, kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// What is wrong with an outside party for as long as the topology is up.
    package struct PartyFault: Sendable, Hashable {
        package enum Kind: String, Sendable, CaseIterable {
            case down, slow
            case timeoutAfter = "timeout-after"
            case answersTwice = "answers-twice"
        }

        package var kind: Kind
        /// How long each answer of a slow party takes.
        package var by: Duration?
    }

    /// Who places orders, how fast, and of which shape.
    package struct Load: Sendable, Hashable {
        /// A burst of orders.
        package struct Spike: Sendable, Hashable {
            package var times: Int
            /// When it begins, from the start of the load.
            package var at: Duration
            package var lasts: Duration
        }

        /// The few products that most people want.
        package struct HotProducts: Sendable, Hashable {
            package var share: Ratio
            package var count: Int
        }

        /// Orders per second.
        package var rate = 20
        /// The time in which the rate grows from nothing.
        package var ramp = Duration.zero
        package var spike: Spike?
        package var products = 100
        package var warehouses = 1
        package var hotProducts: HotProducts?
        /// How many lines an order has at most.
        package var linesMax = 3
        package var customers = 1000

        package init() {}
    }

    /// Bounds that keep one party from harming the others, and a run from filling the disk.
    package struct Limits: Sendable, Hashable {
        package var mesh = MeshLayout.Limits()
        /// How many finished runs are kept.
        package var runsKept = 20
        /// How large the text log of one process grows before it starts over.
        package var logBytesMax = 8 << 20

        package init() {}
    }

    /// What the topology promises; a run that breaks one of these says so.
    package struct Objectives: Sendable, Hashable {
        /// From the moment an order was meant to be placed to its end.
        package var orderP99: Duration?
        /// From the start to every service ready.
        package var readyWithin: Duration?
        /// From a kill to serving again.
        package var servingAgainWithin: Duration?

        package init() {}
    }

    /// How a topology comes down.
    package struct Shutdown: Sendable, Hashable {
        /// How long every order may take to end once no more are placed.
        package var drainWithin = Duration.seconds(30)
        /// How long a process may take to end itself before it is killed.
        package var killAfter = Duration.seconds(2)

        package init() {}
    }

    /// The hub's files.
    package struct LogFiles: Sendable, Hashable {
        package var segmentBytes = 64 << 20

        package init() {}
    }
}

extension Topology {
    /// What the mesh knows of the topology.
    package var layout: MeshLayout {
        let partitions = { (service: Service) in
            service.consumes.first.flatMap { name in self.topics.first { $0.name == name } }?
                .partitions ?? 1
        }
        let services = Set(self.services.map(\.name))
        return MeshLayout(
            topics: self.topics.map {
                MeshLayout.Topic(name: $0.name, partitions: $0.partitions, sync: $0.sync)
            },
            services: self.services.map {
                MeshLayout.Service(
                    name: $0.name,
                    consumes: $0.consumes,
                    emits: $0.emits,
                    partitions: partitions($0),
                    instances: $0.instances,
                    settings: $0.settings
                )
            },
            publishers: self.outside.filter { !$0.emits.isEmpty }.map {
                MeshLayout.Publisher(name: $0.name, emits: $0.emits)
            },
            links: self.links.filter { services.contains($0.to) }.map {
                MeshLayout.Link(from: $0.from, to: $0.to)
            },
            limits: self.limits.mesh,
            retention: self.retention
        )
    }

    /// What may be removed of the log, which holds all topics: only what each of them lets go.
    private var retention: MeshLayout.Retention? {
        let ages = self.topics.compactMap(\.retentionAge)
        let sizes = self.topics.compactMap(\.retentionBytes)
        let limited = self.topics.filter { $0.retentionAge != nil || $0.retentionBytes != nil }
        guard !self.topics.isEmpty, limited.count == self.topics.count else { return nil }
        return MeshLayout.Retention(
            age: sizes.count == self.topics.count ? nil : ages.max(),
            bytes: sizes.count == self.topics.count ? sizes.reduce(0, +) : nil
        )
    }

    /// Returns the service of that name.
    package func service(_ name: String) -> Service? {
        self.services.first { $0.name == name }
    }

    /// Returns the topics that carry events along a link.
    package func topics(from producer: String, to consumer: String) -> [String] {
        let emitted =
            self.service(producer)?.emits
            ?? self.outside.first { $0.name == producer }?.emits ?? []
        let consumed = self.service(consumer)?.consumes ?? []
        return emitted.filter(consumed.contains)
    }
}
