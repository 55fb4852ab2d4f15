/// One partition of the service's state, as the instance that owns it sees it.
struct OwnedPartition {
    enum Phase: Sendable, Hashable {
        case restoring
        case ready
        /// The hub wants it back; nothing new is begun.
        case releasing
    }

    let number: Int
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

    init(_ number: Int, epoch: UInt64, floors: [(topic: Int, offset: UInt64)]) {
        self.number = number
        self.epoch = epoch
        self.intakes = floors.map { ($0.topic, Intake(floor: $0.offset)) }
    }

    /// The hub confirmed a commit, and with it those before.
    mutating func answered(_ sequence: UInt64) {
        self.answeredUpTo = max(self.answeredUpTo, sequence)
    }

    /// Another commit leaves; returns its sequence number.
    mutating func commits(hasSnapshot: Bool) -> UInt64 {
        self.sequence += 1
        self.commitsSinceSnapshot = hasSnapshot ? 0 : self.commitsSinceSnapshot + 1
        return self.sequence
    }

    /// Whether the hub wants it back and nothing is in hand.
    var isReleased: Bool {
        self.phase == .releasing && self.handling == 0 && self.folded.isEmpty
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

    /// Notes that a projection has folded an event; returns the credit to give back.
    mutating func fold(_ place: Acknowledgement) -> Int {
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
        return self.spent
    }

    /// What the service is to do with a delivery whose turn it is.
    func handle(_ delivery: Delivery) -> ServiceClient.Action {
        .handle(partition: self.number, epoch: self.epoch, delivery)
    }

    /// What was folded has left in a commit.
    mutating func foldIsCommitted() {
        self.folded = []
        self.foldedCount = 0
        self.spent = 0
    }

    private func intake(of topic: Int) -> Int? {
        self.intakes.firstIndex { $0.topic == topic }
    }

    /// Takes a delivery; returns whether it may be handled at once.
    mutating func take(_ delivery: Delivery) -> Bool {
        guard let intake = self.intake(of: delivery.topic),
            self.intakes[intake].intake.accepts(delivery.offset)
        else { return false }
        let subject = delivery.event.subject
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

    /// A delivery is done with; returns the next one of its subject.
    mutating func finished(_ subject: String) -> Delivery? {
        self.handling -= 1
        if self.alone != nil {
            self.alone = nil
            return nil
        }
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
        self.alone = nil
        if let intake = self.intake(of: delivery.topic) {
            self.intakes[intake].intake.awaits(delivery.offset)
        }
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

/// The partitions that an instance owns, ascending by their numbers.
///
/// They are few, and looked up for every frame. What is done to one is done where it lies, so that
/// nothing is copied.
struct OwnedPartitions: Sendable {
    /// No service has more.
    static let countMax = 1 << 16

    var all: [OwnedPartition] = []

    /// Where the partition lies that has this number; nil where it is not owned.
    func place(of number: Int) -> Int? {
        let place = self.firstPlace(from: number)
        return place < self.all.count && self.all[place].number == number ? place : nil
    }

    /// Where the partition lies that has this number, if it is owned in this epoch.
    func place(of number: Int, epoch: UInt64) -> Int? {
        guard let place = self.place(of: number), self.all[place].epoch == epoch else { return nil }
        return place
    }

    mutating func own(_ partition: OwnedPartition) {
        self.all.insert(partition, at: self.firstPlace(from: partition.number))
    }

    /// Forgets a partition; returns whether it was owned.
    @discardableResult
    mutating func lose(_ number: Int) -> Bool {
        guard let place = self.place(of: number) else { return false }
        self.all.remove(at: place)
        return true
    }

    private func firstPlace(from number: Int) -> Int {
        var (low, high) = (0, self.all.count)
        while low < high {
            let middle = (low + high) / 2
            if self.all[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
