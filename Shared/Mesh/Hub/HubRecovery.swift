/// Rebuilds the hub's state from its log.
struct HubRecovery: LogVisitor {
    let layout: MeshLayout
    private let flaws: Set<String>
    var topics: [[TopicPartition]]
    var services: [[ServicePartition]]
    var publishers: [String: PublisherProgress] = [:]
    var deadLetters: [[Hub.DeadLetterEntry]]
    var otherLayout: UInt64?
    var problem: String?

    private var position: UInt64 = 0
    private var current: (service: Int, partition: Int)?
    private var hasChanges = false

    init(layout: MeshLayout, flaws: Set<String> = []) {
        self.layout = layout
        self.flaws = flaws
        self.topics = (0..<layout.topicCount).map {
            Array(repeating: TopicPartition(), count: layout.partitionCount($0))
        }
        self.services = layout.services.indices.map { service in
            Array(
                repeating: ServicePartition(topics: layout.consumedTopics(of: service)),
                count: layout.services[service].partitions
            )
        }
        self.deadLetters = layout.services.map { _ in [] }
    }

    mutating func record(at position: UInt64) {
        self.position = position
        self.current = nil
        self.hasChanges = false
    }

    mutating func recorded(at time: Instant) {
        guard self.hasChanges, let (service, partition) = self.current else { return }
        // A turn that also holds a snapshot is the snapshot's record, not one after it.
        if self.services[service][partition].snapshotRecord != self.position {
            self.services[service][partition].journalRecords.append(self.position)
        }
    }

    mutating func opened(layout fingerprint: UInt64) {
        if fingerprint != self.layout.fingerprint { self.otherLayout = fingerprint }
    }

    mutating func published(publisher: String, sequence: UInt64, count: Int) {
        if self.flaws.contains("publisher-forgotten") { return }
        guard sequence >= UInt64(count) else {
            return self.fail("\(count) events end with number \(sequence)")
        }
        self.publishers[publisher, default: PublisherProgress()]
            .stored(sequence, count: UInt64(count))
    }

    private mutating func enter(_ service: Int, _ partition: Int) -> Bool {
        guard service < self.services.count, partition < self.services[service].count else {
            self.fail("there is no partition \(partition) of service \(service)")
            return false
        }
        self.current = (service, partition)
        return true
    }

    private mutating func fail(_ what: String) {
        if self.problem == nil { self.problem = "the record at byte \(self.position): \(what)" }
    }

    mutating func turn(service: Int, partition: Int, epoch: UInt64, sequence: UInt64) {
        _ = self.enter(service, partition)
    }

    mutating func acknowledged(topic: Int, offset: UInt64) {
        guard let (service, partition) = self.current else { return }
        guard let cursor = self.services[service][partition].cursorIndex(topic) else {
            return self.fail("service \(service) does not consume topic \(topic)")
        }
        if self.layout.isVolatile(topic) { return }
        let floor = self.services[service][partition].cursors[cursor].floor
        if offset != floor, self.flaws.contains("gap-acks-forgotten") { return }
        self.services[service][partition].cursors[cursor].acknowledge(offset)
    }

    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {
        guard topic < self.topics.count, partition < self.topics[topic].count else {
            return self.fail("there is no partition \(partition) of topic \(topic)")
        }
        guard offset == self.topics[topic][partition].end else {
            let expected = self.topics[topic][partition].end
            return self.fail("offset \(offset) of topic \(topic) follows \(expected)")
        }
        let body = self.position + UInt64(RecordFormat.headerBytes)
        if self.topics[topic][partition].isCrowded {
            self.topics[topic][partition].forget(before: .max)
        }
        self.topics[topic][partition].append(
            EventPlace(position: body + UInt64(at), count: UInt32(envelope.count)),
            record: self.position
        )
    }

    mutating func changed(offset: UInt64, bytes: UnsafeRawBufferPointer) {
        guard let (service, partition) = self.current else { return }
        self.services[service][partition].journalEnd = offset + 1
        self.hasChanges = true
    }

    mutating func timerSet(name: String, due: Instant, envelope: UnsafeRawBufferPointer) {
        guard let (service, partition) = self.current else { return }
        if self.flaws.contains("timers-forgotten") { return }
        self.services[service][partition].timerGeneration += 1
        self.services[service][partition].timers[name] = PendingTimer(
            due: due,
            generation: self.services[service][partition].timerGeneration,
            envelope: [UInt8](envelope)
        )
    }

    mutating func timerCancelled(name: String) {
        guard let (service, partition) = self.current else { return }
        self.services[service][partition].timers[name] = nil
    }

    mutating func snapshot(_ bytes: UnsafeRawBufferPointer) {
        guard let (service, partition) = self.current else { return }
        self.services[service][partition].snapshotRecord = self.position
        self.services[service][partition].journalRecords = []
    }

    mutating func assigned(
        service: Int,
        partition: Int,
        epoch: UInt64,
        instance: String,
        isProjection: Bool
    ) {
        guard self.enter(service, partition) else { return }
        self.services[service][partition].isProjection = isProjection
        self.services[service][partition].epoch = epoch
    }

    mutating func timerFired(service: Int, partition: Int, name: String) {
        guard self.enter(service, partition) else { return }
        self.services[service][partition].timers[name] = nil
    }

    mutating func deadLettered(_ letter: DeadLetterHead, envelope: UnsafeRawBufferPointer) {
        guard self.enter(letter.service, letter.partition) else { return }
        self.acknowledged(topic: letter.topic, offset: letter.offset)
        self.deadLetters[letter.service].append(
            Hub.DeadLetterEntry(number: letter.number, record: self.position, isRedriven: false)
        )
    }

    mutating func redriven(service: Int, number: UInt64) {
        guard service < self.deadLetters.count, number >= 1,
            number <= UInt64(self.deadLetters[service].count)
        else { return self.fail("there is no dead letter \(number) of service \(service)") }
        self.deadLetters[service][Int(number) - 1].isRedriven = true
    }

    mutating func rewound(service: Int, partition: Int, topic: Int, offset: UInt64) {
        guard self.enter(service, partition),
            let cursor = self.services[service][partition].cursorIndex(topic)
        else { return }
        self.services[service][partition].cursors[cursor].rewind(to: offset)
    }

    mutating func closed() {}

    /// Everything was told: topics that were in memory only begin anew.
    mutating func finished() {
        for topic in self.topics.indices where self.layout.isVolatile(topic) {
            for partition in self.topics[topic].indices {
                self.topics[topic][partition] = TopicPartition()
            }
        }
        for service in self.services.indices {
            for partition in self.services[service].indices {
                for cursor in self.services[service][partition].cursors.indices {
                    let topic = self.services[service][partition].cursors[cursor].topic
                    guard self.layout.isVolatile(topic) else { continue }
                    self.services[service][partition].cursors[cursor] = Cursor(topic: topic)
                }
            }
        }
    }

    mutating func checkpoint(_ state: UnsafeRawBufferPointer) throws(WireError) {
        try self.restore(from: state)
    }
}
