/// What the mesh knows of a topology: its topics, services, publishers, links and limits.
///
/// Topics are numbered in their order here; after them come the hub's own, an inbox and a journal
/// for each service. A log remembers the layout it was written with.
package struct MeshLayout: Sendable, Hashable {
    /// A named, durable, append-only stream of events.
    package struct Topic: Sendable, Hashable {
        package var name: String
        package var partitions: Int
        package var sync: SyncPolicy

        package init(name: String, partitions: Int, sync: SyncPolicy = .always) {
            self.name = name
            self.partitions = partitions
            self.sync = sync
        }
    }

    /// When an event of a topic counts as durable.
    package enum SyncPolicy: String, Sendable, Hashable, CaseIterable {
        /// After fdatasync, which commits of the same moment share.
        case always
        /// As soon as the hub has it, for telemetry: it is in memory only, for as long as there
        /// is room, and gone with the hub. Cannot take part in a turn.
        case never
    }

    /// A service: one group of consumers with a journal.
    package struct Service: Sendable, Hashable {
        package var name: String
        /// The topics it consumes; all have the same number of partitions.
        package var consumes: [String]
        /// The topics it may emit to.
        package var emits: [String]
        /// The number of partitions of its state.
        package var partitions: Int
        /// How many instances the topology starts.
        package var instances: Int
        /// The `settings` object of the topology file, handed to the service as it is.
        package var settings: JSONValue

        package init(
            name: String,
            consumes: [String],
            emits: [String],
            partitions: Int,
            instances: Int = 1,
            settings: JSONValue = .object([])
        ) {
            self.name = name
            self.consumes = consumes
            self.emits = emits
            self.partitions = partitions
            self.instances = instances
            self.settings = settings
        }
    }

    /// An outside party that publishes, such as the shoppers.
    package struct Publisher: Sendable, Hashable {
        package var name: String
        /// The topics it may publish to.
        package var emits: [String]

        package init(name: String, emits: [String]) {
            self.name = name
            self.emits = emits
        }
    }

    /// A declared path from a producer (service or publisher) to a consuming service.
    package struct Link: Sendable, Hashable {
        package var from: String
        package var to: String

        package init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    /// Bounds that keep one party from harming the others.
    package struct Limits: Sendable, Hashable {
        /// The largest event in bytes, envelope included.
        package var eventBytesMax = 1_048_576
        /// How many deliveries a partition of a service may hold unacknowledged.
        package var window = 256
        /// How often a failing event is handled before it becomes a dead letter.
        package var attemptsMax = 20
        /// The wait before the second attempt; doubles with each further one, with jitter.
        package var backoffMin = Duration.milliseconds(20)
        /// The longest wait between two attempts.
        package var backoffMax = Duration.seconds(2)
        /// How many connections the hub accepts at once.
        package var connectionsMax = 1024
        /// How many events may wait for a service until publishers are refused; nil for any number.
        package var backlogMax: Int? = 1_000_000

        package init() {}
    }

    /// How much of the log is kept once nobody needs it any more.
    package struct Retention: Sendable, Hashable {
        /// Segments whose last record is older than this may go; nil for no limit by age.
        package var age: Duration?
        /// The oldest segments may go while the log is larger than this; nil for no such limit.
        package var bytes: Int?

        package init(age: Duration? = nil, bytes: Int? = nil) {
            self.age = age
            self.bytes = bytes
        }
    }

    package var topics: [Topic]
    package var services: [Service]
    package var publishers: [Publisher]
    package var links: [Link]
    package var limits: Limits
    /// Nil where the whole log is kept.
    package var retention: Retention?

    package init(
        topics: [Topic],
        services: [Service],
        publishers: [Publisher],
        links: [Link],
        limits: Limits = Limits(),
        retention: Retention? = nil
    ) {
        self.retention = retention
        self.topics = topics
        self.services = services
        self.publishers = publishers
        self.links = links
        self.limits = limits
    }
}

extension MeshLayout {
    /// Returns the number of a declared topic.
    package func topicIndex(_ name: String) -> Int? {
        self.topics.firstIndex { $0.name == name }
    }

    /// Returns the number of a service.
    package func serviceIndex(_ name: String) -> Int? {
        self.services.firstIndex { $0.name == name }
    }

    /// The number of the inbox of the `service`-th service: its own timers and redriven events.
    package func inbox(of service: Int) -> Int { self.topics.count + service }

    /// The number of the journal of the `service`-th service.
    package func journal(of service: Int) -> Int {
        self.topics.count + self.services.count + service
    }

    /// How many topics there are, the hub's own included.
    package var topicCount: Int { self.topics.count + 2 * self.services.count }

    /// Returns the name of any topic by its number, the hub's own included.
    package func topicName(_ index: Int) -> String {
        let services = self.services.count
        if index < self.topics.count { return self.topics[index].name }
        let rest = index - self.topics.count
        if rest < services { return "inbox.\(self.services[rest].name)" }
        return "journal.\(self.services[rest - services].name)"
    }

    /// Returns the number of partitions of any topic, the hub's own included.
    package func partitionCount(_ index: Int) -> Int {
        if index < self.topics.count { return self.topics[index].partitions }
        return self.services[(index - self.topics.count) % self.services.count].partitions
    }

    /// Whether the events of a topic are never synced, and so kept in memory only.
    package func isVolatile(_ index: Int) -> Bool {
        index < self.topics.count && self.topics[index].sync == .never
    }

    /// Returns the numbers of the topics that a service consumes, its inbox last.
    package func consumedTopics(of service: Int) -> [Int] {
        self.services[service].consumes.compactMap(self.topicIndex) + [self.inbox(of: service)]
    }

    /// A hash of everything that numbers and places events, to tell one layout from another.
    package var fingerprint: UInt64 {
        var hash: UInt64 = 1
        for topic in self.topics {
            let sync = topic.sync.rawValue
            hash = StableHash.of("t\(topic.name)/\(topic.partitions)/\(sync)", seed: hash)
        }
        for service in self.services {
            hash = StableHash.of("s\(service.name)/\(service.partitions)", seed: hash)
        }
        return hash
    }
}
