import Events
import Mesh

/// The live numbers of a run: a fold over the records of its log.
///
/// Memory is bounded by the layout and the orders in progress, however long the run. All times
/// are the records', so the numbers of a recorded run are the same whenever they are taken.
package struct RunFold: Sendable {
    package let layout: MeshLayout
    /// The shop's numbers.
    package private(set) var orders = OrderNumbers()
    package private(set) var services: [ServiceNumbers]
    /// How many events each topic got, by its number, inboxes included.
    package private(set) var eventCounts: [Int]
    package private(set) var recordCount = 0
    package private(set) var turnCount = 0
    package private(set) var lastTime = Instant.zero
    package private(set) var lastPosition: UInt64 = 0
    private var commits: [[CommitTimes]]
    /// For each topic, the services that consume it.
    private let consumers: [[Int]]
    /// Reads the records that nobody else reads.
    private var reader = RecordReader()

    /// Whether it is measured how long events wait and orders take.
    private let measuresTimes: Bool

    /// Creates the fold of a log of which nothing was read.
    ///
    /// Without `measuresTimes` every latency stays empty, which costs a world less that counts
    /// only.
    package init(layout: MeshLayout, measuresTimes: Bool = true) {
        self.layout = layout
        self.measuresTimes = measuresTimes
        self.services = layout.services.map { ServiceNumbers(name: $0.name) }
        self.eventCounts = [Int](repeating: 0, count: layout.topicCount)
        self.commits = (0..<layout.topicCount).map { topic in
            [CommitTimes](repeating: CommitTimes(), count: layout.partitionCount(topic))
        }
        let consumed = layout.services.indices.map { layout.consumedTopics(of: $0) }
        self.consumers = (0..<layout.topicCount).map { topic in
            layout.services.indices.filter { consumed[$0].contains(topic) }
        }
        for service in layout.services.indices {
            self.services[service].open(layout: layout, service: service)
        }
    }

    /// Takes in the next record.
    package mutating func observed(_ record: RecordView) {
        self.reader.read(record)
        self.observed(record, self.reader.contents)
    }

    /// Takes in the next record, of which a ``RecordReader`` has read what its events say.
    package mutating func observed(_ record: RecordView, _ contents: [ShopEvent?]) {
        self.recordCount += 1
        self.lastTime = max(self.lastTime, record.time)
        self.lastPosition = record.position
        switch record.body {
        case .turn:
            self.committed(record)
            self.published(record, contents)

        case .published: self.published(record, contents)

        case .timerFired(let service, _, _):
            self.published(record, contents)
            if self.services.indices.contains(service) { self.services[service].timersFired += 1 }

        case .redriven(let service, _):
            self.published(record, contents)
            if self.services.indices.contains(service) { self.services[service].redriven += 1 }

        case .deadLettered(let letter):
            guard self.services.indices.contains(letter.service) else { return }
            self.services[letter.service].deadLetters += 1
            self.services[letter.service].handled(letter.topic, letter.partition)

        case .rewound(let service, let partition, let topic, let offset):
            guard self.services.indices.contains(service) else { return }
            self.services[service].rewound(topic, partition, to: offset)

        case .assigned(let service, _, _, _):
            if self.services.indices.contains(service) { self.services[service].assignments += 1 }

        case .opened, .closed, .checkpoint: break
        }
    }

    /// Events of all topics of the topology a second, over the last full `seconds` before `now`.
    package func eventsPerSecond(now: Instant, over seconds: Int = 1) -> Int {
        self.rate.perSecond(now: now, over: seconds)
    }

    /// How many deliveries wait, over all services.
    package var lag: Int { self.services.reduce(0) { $0 &+ $1.lag } }

    private var rate = RateMeter()

    private mutating func committed(_ record: RecordView) {
        self.turnCount += 1
        let (service, partition) = (record.turn.service, record.turn.partition)
        guard self.services.indices.contains(service) else { return }
        for place in record.acknowledged {
            let known =
                self.commits.indices.contains(place.topic)
                && self.commits[place.topic].indices.contains(partition)
            guard known else { continue }
            self.services[service].handled(place.topic, partition)
            guard self.measuresTimes else { continue }
            let committed = self.commits[place.topic][partition][place.offset]
            self.services[service].took(committed.map { (record.time - $0).inNanoseconds })
        }
        self.services[service].committed(record)
    }

    private mutating func published(_ record: RecordView, _ contents: [ShopEvent?]) {
        let time = record.time
        if !record.events.isEmpty { self.rate.happened(record.events.count, at: time) }
        for index in record.events.indices {
            let event = record.events[index]
            let (topic, partition) = (event.topic, event.partition)
            guard self.commits.indices.contains(topic),
                self.commits[topic].indices.contains(partition)
            else { continue }
            self.eventCounts[topic] += 1
            if self.measuresTimes { self.commits[topic][partition].append(time, at: event.offset) }
            for service in self.consumers[topic] {
                self.services[service].published(topic, partition, event.offset, at: time)
            }
            if let content = contents[index] {
                self.orders.happened(
                    content,
                    at: event.time,
                    committed: self.measuresTimes ? time : nil
                )
            }
        }
    }
}
