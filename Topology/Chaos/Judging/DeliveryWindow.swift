import Mesh

/// Which events of one topic partition a service has done with.
///
/// Remembers only what lies between the first event not handled yet and the newest one.
struct DeliveryWindow: Sendable, Hashable {
    enum Step: Hashable {
        case inOrder
        /// An earlier event of the same subject is not handled yet.
        case before(UInt64)
        case again
        case neverPublished
    }

    private static let handledMark: UInt64 = .max
    private static let forgottenMark: UInt64 = 0

    /// Everything below this offset is handled.
    private(set) var floor: UInt64 = 0
    private var isOpen = false
    /// From the floor on, the hash of each event's subject, or a mark.
    private var pending: [UInt64] = []
    private var first = 0
    /// How many events are not handled.
    private(set) var unhandledCount = 0

    /// The offset after the newest event.
    var end: UInt64 { self.floor + UInt64(self.pending.count - self.first) }

    /// The first event not handled.
    var firstUnhandled: UInt64? { self.unhandledCount > 0 ? self.floor : nil }

    mutating func published(_ offset: UInt64, subject: UInt64) {
        // No topic gets this long; the sums below must not overflow.
        guard offset < 1 << 62 else { return }
        if !self.isOpen {
            self.isOpen = true
            self.floor = offset
        }
        // A gap or a repeat in a topic is for another invariant to report.
        if offset < self.end || offset - self.end > 1_000_000 { return }
        while self.end < offset { self.pending.append(Self.handledMark) }
        let hash = subject == Self.handledMark || subject == Self.forgottenMark ? 1 : subject
        self.pending.append(hash)
        self.unhandledCount += 1
        self.advance()
    }

    mutating func handled(_ offset: UInt64) -> Step {
        guard self.isOpen, offset < self.end else { return .neverPublished }
        guard offset >= self.floor else { return .again }
        let index = self.first + Int(offset - self.floor)
        let subject = self.pending[index]
        if subject == Self.handledMark { return .again }
        var step = Step.inOrder
        if subject != Self.forgottenMark, index > self.first,
            let earlier = self.pending[self.first..<index].firstIndex(of: subject)
        {
            step = .before(self.floor + UInt64(earlier - self.first))
        }
        self.pending[index] = Self.handledMark
        self.unhandledCount -= 1
        if index == self.first { self.advance() }
        return step
    }

    /// From `offset` on, everything is to be handled again; what lies before is done with.
    mutating func rewound(to offset: UInt64) {
        guard self.isOpen else { return }
        let offset = min(offset, self.end)
        var rest = Array(self.pending[self.first...])
        if offset < self.floor {
            let count = Int(clamping: self.floor - offset)
            rest.insert(contentsOf: repeatElement(Self.forgottenMark, count: count), at: 0)
        } else {
            rest.removeFirst(Int(offset - self.floor))
        }
        self.pending = rest.map { $0 == Self.handledMark ? Self.forgottenMark : $0 }
        self.first = 0
        self.floor = offset
        self.unhandledCount = rest.count
    }

    private mutating func advance() {
        while self.first < self.pending.count, self.pending[self.first] == Self.handledMark {
            self.first += 1
            self.floor += 1
        }
        if self.first == self.pending.count {
            self.pending.removeAll(keepingCapacity: self.pending.count < 4096)
            self.first = 0
        } else if self.first > 4096, self.first > self.pending.count / 2 {
            self.pending.removeFirst(self.first)
            self.first = 0
        }
    }
}

/// The windows of every service on every topic partition that it consumes.
struct DeliveryWindows: Sendable {
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
    }

    /// Where an index of ``windows`` is, for a person: `payments on payments.requests/2`.
    func name(_ index: Int) -> String {
        let place = self.places[index]
        let service = self.layout.services[place.service].name
        return "\(service) on \(self.layout.topicName(place.topic))/\(place.partition)"
    }

    /// Returns the index of a window; nil where the service doesn't consume the topic.
    func index(service: Int, topic: Int, partition: Int) -> Int? {
        guard self.basesByService.indices.contains(service), self.topics.indices.contains(topic),
            self.basesByService[service][topic] >= 0, partition >= 0,
            partition < self.topics[topic].partitionCount
        else { return nil }
        return self.basesByService[service][topic] + partition
    }

    mutating func published(topic: Int, partition: Int, offset: UInt64, subject: UInt64) {
        guard self.topics.indices.contains(topic), partition >= 0,
            partition < self.topics[topic].partitionCount
        else { return }
        for consumer in self.topics[topic].consumers {
            self.windows[self.bases[consumer] + partition].published(offset, subject: subject)
        }
    }

    /// Takes in events; where their order does not count, all are of one subject.
    mutating func published(_ events: [RecordView.EventView], inOrder isOrdered: Bool) {
        for event in events {
            self.published(
                topic: event.topic,
                partition: event.partition,
                offset: event.offset,
                subject: isOrdered ? event.subjectHash : 1
            )
        }
    }

    mutating func handled(_ index: Int, _ offset: UInt64) -> DeliveryWindow.Step {
        self.windows[index].handled(offset)
    }

    mutating func rewound(service: Int, topic: Int, partition: Int, to offset: UInt64) {
        guard let index = self.index(service: service, topic: topic, partition: partition) else {
            return
        }
        self.windows[index].rewound(to: offset)
    }
}
