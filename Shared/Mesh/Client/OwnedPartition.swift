/// One partition of the service's state, as the instance that owns it sees it.
struct OwnedPartition {
    enum Phase: Sendable, Hashable {
        case restoring
        case ready
        /// The hub wants it back; nothing new is begun.
        case releasing
    }

    var phase = Phase.restoring
    let epoch: UInt64
    /// The sequence number of the last commit sent.
    var sequence: UInt64 = 0
    /// The sequence number of the last commit that the hub confirmed.
    private var answeredUpTo: UInt64 = 0
    /// What ``answeredUpTo`` was when last looked at; nil where nothing was open then.
    private var lookedAt: UInt64?
    var intakes: [Int: Intake]
    /// How many deliveries are being handled.
    var handling = 0
    /// What waits behind the delivery of its subject that is being handled or will come again.
    var queues: [String: Queue] = [:]
    /// Handled by a projection since its last commit.
    var folded: [Acknowledgement] = []
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

    init(epoch: UInt64, floors: [(topic: Int, offset: UInt64)]) {
        self.epoch = epoch
        self.intakes = [:]
        for floor in floors { self.intakes[floor.topic] = Intake(floor: floor.offset) }
    }

    /// The hub confirmed a commit, and with it those before; returns whether it was of this epoch.
    mutating func answered(_ sequence: UInt64, epoch: UInt64) -> Bool {
        guard epoch == self.epoch else { return false }
        self.answeredUpTo = max(self.answeredUpTo, sequence)
        return true
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

    /// Takes a delivery; returns it where it may be handled at once.
    mutating func take(_ delivery: Delivery) -> Delivery? {
        guard self.intakes[delivery.topic]?.accepts(delivery.offset) == true else { return nil }
        let subject = delivery.event.subject
        guard var queue = self.queues[subject] else {
            self.queues[subject] = Queue()
            self.handling += 1
            return delivery
        }
        if queue.blockedBy == delivery.place {
            queue.blockedBy = nil
            self.queues[subject] = queue
            self.handling += 1
            return delivery
        }
        queue.waiting.append(delivery)
        self.queues[subject] = queue
        return nil
    }

    /// A delivery is done with; returns the next one of its subject.
    mutating func finished(_ subject: String) -> Delivery? {
        self.handling -= 1
        return self.next(of: subject)
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
        self.intakes[delivery.topic]?.awaits(delivery.offset)
        self.queues[delivery.event.subject, default: Queue()].blockedBy = delivery.place
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

    private var slots: [OwnedPartition?] = []

    /// The numbers of those that are there, ascending.
    var owned: [Int] { self.slots.indices.filter { self.slots[$0] != nil } }

    subscript(partition: Int) -> OwnedPartition? {
        get { partition < self.slots.count ? self.slots[partition] : nil }
        _modify {
            guard partition < Self.countMax else {
                var none: OwnedPartition?
                yield &none
                return
            }
            while self.slots.count <= partition { self.slots.append(nil) }
            yield &self.slots[partition]
        }
    }
}
