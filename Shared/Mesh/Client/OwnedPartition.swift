/// One partition of the service's state, as the instance that owns it sees it.
struct OwnedPartition: Sendable {
    enum Phase: Sendable, Hashable {
        case restoring
        case ready
        /// The hub wants it back; nothing new is begun.
        case releasing
        /// It is not the instance's, or not any more.
        case lost
    }

    var phase = Phase.restoring
    let epoch: UInt64
    /// The sequence number of the last commit sent.
    var sequence: UInt64 = 0
    /// The sequence number of the last commit that the hub confirmed.
    private var answeredUpTo: UInt64 = 0
    /// What ``answeredUpTo`` was when last looked at; nil where nothing was open then.
    private var lookedAt: UInt64?
    /// What may come of each topic; a few, so that looking is faster than hashing.
    private var intakes: [(topic: Int, intake: Intake)]
    /// How many deliveries are being handled.
    var handling = 0
    /// What waits behind the delivery of its subject that is being handled or will come again.
    var queues: [String: Queue] = [:]
    /// The subject of the only delivery that is being handled, while nothing waits.
    private var alone: String?
    /// Handled by a projection since its last commit.
    var folded: [AcknowledgedRun] = []
    var foldedCount = 0
    /// Credit to give back with the next credit frame.
    var spent = 0
    var commitsSinceSnapshot = 0

    struct Queue {
        /// The failed delivery that must come again first.
        var blockedBy: Acknowledgement?
        var waiting: [Delivery] = []

        /// Takes back the delivery that was queued last; returns whether it was that one.
        mutating func takeBack(_ delivery: Delivery) -> Bool {
            guard self.waiting.last?.place == delivery.place else { return false }
            self.waiting.removeLast()
            return true
        }
    }

    /// A partition that is not owned.
    static var lost: OwnedPartition {
        var partition = OwnedPartition(epoch: 0, floors: [])
        partition.phase = .lost
        return partition
    }

    init(epoch: UInt64, floors: [(topic: Int, offset: UInt64)]) {
        self.epoch = epoch
        self.intakes = floors.map { ($0.topic, Intake(floor: $0.offset)) }
    }

    /// The hub confirmed a commit, and with it those before.
    mutating func answered(_ sequence: UInt64) {
        self.answeredUpTo = max(self.answeredUpTo, sequence)
    }

    /// Returns the number of the next commit.
    mutating func nextSequence() -> UInt64 {
        self.sequence += 1
        return self.sequence
    }

    /// What a projection has folded leaves in the next commit.
    mutating func snapshotTaken() {
        self.sequence += 1
        self.folded = []
        self.foldedCount = 0
        self.spent = 0
    }

    /// Whether a commit waits for its confirmation.
    var hasUnanswered: Bool { self.sequence > self.answeredUpTo }

    /// Returns whether nothing was confirmed since the last look although something was open.
    mutating func isStuck() -> Bool {
        guard self.hasUnanswered else {
            self.lookedAt = nil
            return false
        }
        defer { self.lookedAt = self.answeredUpTo }
        return self.lookedAt == self.answeredUpTo
    }

    /// Notes that a projection has folded an event; returns the credit to give back now, which is
    /// none until a quarter of the window is spent.
    mutating func fold(_ place: Acknowledgement, _ window: Int) -> Int {
        self.foldedCount += 1
        self.spent += 1
        let last = self.folded.count - 1
        if last >= 0, self.folded[last].topic == place.topic,
            self.folded[last].offsets.upperBound == place.offset
        {
            let first = self.folded[last].offsets.lowerBound
            self.folded[last].offsets = first..<place.offset + 1
        } else {
            self.folded.append(AcknowledgedRun(place))
        }
        guard self.spent * 4 >= window else { return 0 }
        defer { self.spent = 0 }
        return self.spent
    }

    private func intake(of topic: Int) -> Int? {
        self.intakes.firstIndex { $0.topic == topic }
    }

    /// Takes a delivery; returns whether it may be handled at once.
    mutating func take(_ delivery: Delivery) -> Bool {
        guard let intake = self.intake(of: delivery.topic),
            self.intakes[intake].intake.accepts(delivery.offset)
        else { return false }
        let subject = delivery.subject
        if self.handling == 0, self.queues.isEmpty {
            // Most are done with before the next one comes: then nothing need be looked up.
            self.alone = subject
            self.handling = 1
            return true
        }
        self.joinOthers()
        guard var queue = self.queues[subject] else {
            self.queues[subject] = Queue()
            self.handling += 1
            return true
        }
        if queue.blockedBy == delivery.place {
            queue.blockedBy = nil
            self.queues[subject] = queue
            self.handling += 1
            return true
        }
        queue.waiting.append(delivery)
        self.queues[subject] = queue
        return false
    }

    /// Lets the only delivery that is being handled be found by its subject.
    private mutating func joinOthers() {
        guard let subject = self.alone else { return }
        self.alone = nil
        self.queues[subject] = Queue()
    }

    /// What may be done once a delivery is done with.
    typealias Finish = (next: Delivery?, isReleasing: Bool)

    /// A delivery is done with; returns the next one of its subject.
    mutating func finished(_ delivery: Delivery) -> Finish {
        self.handling -= 1
        let isReleasing = self.phase == .releasing
        if self.alone != nil {
            self.alone = nil
            return (nil, isReleasing)
        }
        return (self.next(of: delivery.subject), isReleasing)
    }

    private mutating func next(of subject: String) -> Delivery? {
        guard var queue = self.queues[subject], queue.blockedBy == nil else { return nil }
        guard !queue.waiting.isEmpty, self.phase == .ready else {
            self.queues[subject] = nil
            return nil
        }
        let delivery = queue.waiting.removeFirst()
        self.queues[subject] = queue
        self.handling += 1
        return delivery
    }

    /// A delivery failed: its subject waits until it comes again.
    mutating func failed(_ delivery: Delivery) {
        self.handling -= 1
        self.alone = nil
        if let intake = self.intake(of: delivery.topic) {
            self.intakes[intake].intake.awaits(delivery.offset)
        }
        self.queues[delivery.subject, default: Queue()].blockedBy = delivery.place
    }

    /// The hub gave a failed delivery up; returns what may go on.
    mutating func settled(_ place: Acknowledgement) -> Delivery? {
        let blocked = self.queues.first { $0.value.blockedBy == place }?.key
        guard let subject = blocked else { return nil }
        self.queues[subject]?.blockedBy = nil
        return self.next(of: subject)
    }
}

/// The partitions that an instance owns, by number: they are few, and looked up for every frame.
struct OwnedPartitions: Sendable {
    /// No service has more.
    static let countMax = 1 << 16

    /// Each that was ever owned; an optional would be copied to look into it.
    private var slots: [OwnedPartition] = []

    /// The numbers of those that are there, ascending.
    var owned: [Int] { self.slots.indices.filter { self.slots[$0].phase != .lost } }

    /// A partition, to be looked at or replaced; to change it, see ``with(_:_:_:)``.
    subscript(partition: Int) -> OwnedPartition? {
        get {
            guard partition < self.slots.count, self.slots[partition].phase != .lost else {
                return nil
            }
            return self.slots[partition]
        }
        set {
            guard partition < Self.countMax else { return }
            while self.slots.count <= partition { self.slots.append(.lost) }
            self.slots[partition] = newValue ?? .lost
        }
    }

    /// Passes a partition to `body`, in its place, where that epoch of it is owned; returns nil
    /// where not.
    @inline(__always)
    @discardableResult
    mutating func with<R>(
        _ partition: Int,
        _ epoch: UInt64,
        _ body: (inout OwnedPartition) -> R
    ) -> R? {
        guard partition < self.slots.count, self.slots[partition].epoch == epoch,
            self.slots[partition].phase != .lost
        else { return nil }
        return body(&self.slots[partition])
    }
}
