import Mesh

/// The live numbers of one service.
package struct ServiceNumbers: Sendable, Hashable {
    package let name: String
    package private(set) var turns = 0
    /// How many deliveries it is done with.
    package private(set) var events = 0
    package private(set) var emitted = 0
    package var timersFired = 0
    package var deadLetters = 0
    package var redriven = 0
    /// How often one of its partitions got an owner.
    package var assignments = 0
    /// From the commit of an event to the commit of the turn that handles it.
    ///
    /// What waited longer than the ring of commit times reaches back counts as that old at least.
    package private(set) var latency = Histogram()

    private var rate = RateMeter()
    private var arrivals = RateMeter()
    /// For each topic, where its partitions begin in the counters; -1 where it isn't consumed.
    private var bases: [Int] = []
    private var ends: [UInt64] = []
    private var handledUpTo: [UInt64] = []

    init(name: String) {
        self.name = name
    }

    mutating func open(layout: MeshLayout, service: Int) {
        self.bases = [Int](repeating: -1, count: layout.topicCount)
        for topic in layout.consumedTopics(of: service) where self.bases[topic] < 0 {
            self.bases[topic] = self.ends.count
            let zeros = [UInt64](repeating: 0, count: layout.partitionCount(topic))
            self.ends += zeros
            self.handledUpTo += zeros
        }
    }

    /// How many events were published to it that it is not done with.
    package var lag: Int {
        var lag = 0
        for (end, handled) in zip(self.ends, self.handledUpTo) where end > handled {
            lag &+= Int(clamping: end - handled)
        }
        return lag
    }

    /// Deliveries done with a second, over the last full `seconds` before `now`.
    package func eventsPerSecond(now: Instant, over seconds: Int = 1) -> Int {
        self.rate.perSecond(now: now, over: seconds)
    }

    /// How a service that fell behind comes closer again.
    package struct CatchUp: Sendable, Hashable {
        /// How many events more it handles in a second than come in.
        package var perSecond: Int
        /// How long it still takes at this pace.
        package var timeLeft: Duration

        package init(perSecond: Int, timeLeft: Duration) {
            self.perSecond = perSecond
            self.timeLeft = timeLeft
        }
    }

    /// What is always under way, and no backlog.
    private static let backlogMin = 100

    /// How it catches up at `now`, judged by the last full `seconds`; nil where it has not fallen
    /// behind by half a second, or falls behind further.
    package func catchUp(now: Instant, over seconds: Int = 1) -> CatchUp? {
        let lag = self.lag
        let arrivals = self.arrivals.perSecond(now: now, over: seconds)
        let gain = self.eventsPerSecond(now: now, over: seconds) - arrivals
        guard lag > max(Self.backlogMin, arrivals / 2), gain > 0 else { return nil }
        return CatchUp(
            perSecond: gain,
            timeLeft: .milliseconds(Int64(clamping: lag) * 1000 / Int64(gain))
        )
    }

    mutating func published(_ topic: Int, _ partition: Int, _ offset: UInt64, at time: Instant) {
        guard self.bases[topic] >= 0 else { return }
        self.ends[self.bases[topic] + partition] = offset &+ 1
        self.arrivals.happened(at: time)
    }

    /// The n-th distinct event of a partition that is done with moves the counter to n.
    mutating func handled(_ topic: Int, _ partition: Int) {
        guard self.bases.indices.contains(topic), self.bases[topic] >= 0,
            self.handledUpTo.indices.contains(self.bases[topic] + partition)
        else { return }
        self.handledUpTo[self.bases[topic] + partition] &+= 1
    }

    mutating func rewound(_ topic: Int, _ partition: Int, to offset: UInt64) {
        guard self.bases.indices.contains(topic), self.bases[topic] >= 0,
            self.handledUpTo.indices.contains(self.bases[topic] + partition)
        else { return }
        self.handledUpTo[self.bases[topic] + partition] = offset
    }

    mutating func took(_ nanoseconds: Int64?) {
        if let nanoseconds { self.latency.record(nanoseconds: nanoseconds) }
    }

    mutating func committed(_ turn: RecordView) {
        let count = turn.acknowledged.count
        self.turns += 1
        self.events += count
        self.emitted += turn.events.count
        if count > 0 { self.rate.happened(count, at: turn.time) }
    }
}
