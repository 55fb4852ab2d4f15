import Mesh

/// A delivery that a service is done with out of turn.
package struct OddDelivery: Sendable {
    package var service: Int
    package var partition: Int
    package var topic: Int
    package var offset: UInt64
    /// What is odd; nil where the service doesn't consume the topic.
    var step: DeliveryWindow.Step?
    /// The record that says so.
    package var position: UInt64
}

/// What each service is done with of each topic partition that it consumes.
///
/// A class only so that all invariants see one; whoever judges owns it.
package final class Deliveries {
    /// What is asked for each event of a topic.
    private struct Topic {
        var partitionCount: Int
        /// Where in ``bases`` those of its consumers lie.
        var consumers: Range<Int>
    }

    private let layout: MeshLayout
    private let topics: [Topic]
    /// For each topic, one consumer after the other: where its windows begin.
    private let bases: [Int]
    /// For each service and topic, where its windows begin; -1 where it doesn't consume it.
    private let basesByService: [[Int]]
    private(set) var windows: [DeliveryWindow]
    /// What is odd in the record that was taken in last.
    private(set) var odd: [OddDelivery] = []
    /// How many deliveries are done with.
    private(set) var count = 0
    /// For each topic, the last offset that the turn at hand has acknowledged so far.
    private var acknowledged: [(turn: UInt64, offset: UInt64)]
    private let places: [(service: Int, topic: Int, partition: Int)]

    init(layout: MeshLayout) {
        self.layout = layout
        var byService: [[Int]] = []
        var places: [(service: Int, topic: Int, partition: Int)] = []
        for service in layout.services.indices {
            var base = [Int](repeating: -1, count: layout.topicCount)
            for topic in layout.consumedTopics(of: service) where base[topic] < 0 {
                base[topic] = places.count
                for partition in 0..<layout.partitionCount(topic) {
                    places.append((service, topic, partition))
                }
            }
            byService.append(base)
        }
        var topics: [Topic] = []
        var bases: [Int] = []
        for topic in 0..<layout.topicCount {
            let first = bases.count
            bases += byService.map { $0[topic] }.filter { $0 >= 0 }
            topics.append(
                Topic(
                    partitionCount: layout.partitionCount(topic),
                    consumers: first..<bases.count
                )
            )
        }
        self.topics = topics
        self.bases = bases
        self.basesByService = byService
        self.places = places
        self.windows = [DeliveryWindow](repeating: DeliveryWindow(), count: places.count)
        self.acknowledged = Array(repeating: (turn: .max, offset: 0), count: layout.topicCount)
    }

    /// Where an index of ``windows`` is, for a person: `payments on payments.requests/2`.
    func name(_ index: Int) -> String {
        let place = self.places[index]
        let service = self.layout.services[place.service].name
        return "\(service) on \(self.layout.topicName(place.topic))/\(place.partition)"
    }

    /// Takes in the next record.
    func observe(_ record: RecordView) {
        if !self.odd.isEmpty { self.odd = [] }
        switch record.body {
        case .turn:
            let (service, partition) = (record.turn.service, record.turn.partition)
            if record.acknowledged.count <= 1 || self.isInOrder(record) {
                for place in record.acknowledged {
                    self.handled(service, partition, place, record.position)
                }
            } else {
                let places = record.acknowledged
                for place in places.sorted(by: { ($0.topic, $0.offset) < ($1.topic, $1.offset) }) {
                    self.handled(service, partition, place, record.position)
                }
            }

        case .deadLettered(let letter):
            self.handled(
                letter.service,
                letter.partition,
                Acknowledgement(topic: letter.topic, offset: letter.offset),
                record.position,
                isGivenUp: true
            )

        case .rewound(let service, let partition, let topic, let offset):
            guard let index = self.index(service, topic, partition) else { break }
            self.windows[index].rewound(to: offset)

        case .published, .timerFired, .redriven, .opened, .assigned, .closed, .checkpoint: break
        }
        for event in record.events { self.published(event) }
    }

    /// Whether a turn acknowledges what it does of each topic in its order, as most do.
    ///
    /// What a turn acknowledges it acknowledges at once: the order inside it is free.
    private func isInOrder(_ turn: RecordView) -> Bool {
        for place in turn.acknowledged {
            guard self.acknowledged.indices.contains(place.topic) else { return false }
            let last = self.acknowledged[place.topic]
            if last.turn == turn.position, place.offset <= last.offset { return false }
            self.acknowledged[place.topic] = (turn.position, place.offset)
        }
        return true
    }

    /// Returns the index of a window; nil where the service doesn't consume the topic.
    private func index(_ service: Int, _ topic: Int, _ partition: Int) -> Int? {
        guard self.basesByService.indices.contains(service), self.topics.indices.contains(topic),
            self.basesByService[service][topic] >= 0, partition >= 0,
            partition < self.topics[topic].partitionCount
        else { return nil }
        return self.basesByService[service][topic] + partition
    }

    private func published(_ event: RecordView.EventView) {
        let (topic, partition) = (event.topic, event.partition)
        guard self.topics.indices.contains(topic), partition >= 0,
            partition < self.topics[topic].partitionCount
        else { return }
        for consumer in self.topics[topic].consumers {
            let window = self.bases[consumer] + partition
            self.windows[window].published(event.offset, subject: event.subjectHash)
        }
    }

    private func handled(
        _ service: Int,
        _ partition: Int,
        _ place: Acknowledgement,
        _ position: UInt64,
        isGivenUp: Bool = false
    ) {
        var step: DeliveryWindow.Step?
        if let index = self.index(service, place.topic, partition) {
            self.count += 1
            let taken = self.windows[index].handled(place.offset)
            if taken == .inOrder { return }
            // Giving up a subject's event lets the later ones pass: only a repeat is wrong.
            if isGivenUp, case .before = taken { return }
            step = taken
        }
        self.odd.append(
            OddDelivery(
                service: service,
                partition: partition,
                topic: place.topic,
                offset: place.offset,
                step: step,
                position: position
            )
        )
    }
}
