/// One partition of one service's state, as the hub sees it: owner, epoch, places, journal, timers.
struct ServicePartition {
    enum Phase: Sendable, Hashable {
        case unowned
        /// The owner is reading its snapshot and journal.
        case restoring
        case ready
        /// The owner was asked to hand it over.
        case revoking
    }

    var phase = Phase.unowned
    var owner: ConnectionID?
    /// Whether the owner was told: until then the partition can be taken back without asking.
    var isTold = false
    var epoch: UInt64 = 0
    /// Whether the last owner was a projection, whose state and places are one.
    var isProjection = false
    /// The sequence number of the last commit of this epoch.
    var sequence: UInt64 = 0
    /// How many more deliveries the owner is ready for.
    var credit = 0
    var cursors: [Cursor]
    /// The subjects of deliveries that a fault holds back: later ones must wait behind them.
    var parkedSubjects: [String: Int] = [:]
    /// Deliveries that the next one overtakes, as (cursor, offset).
    var overtaken: [(cursor: Int, offset: UInt64)] = []
    /// Commits that came before their turn, by sequence number.
    var earlyCommits: [UInt64: [UInt8]] = [:]

    /// The offset in the journal of the next change.
    var journalEnd: UInt64 = 0
    /// The record with the last snapshot.
    var snapshotRecord: UInt64?
    /// The records with changes since then.
    var journalRecords: [UInt64] = []

    var timers: [String: PendingTimer] = [:]
    /// Tells a timer from an earlier one of the same name.
    var timerGeneration: UInt64 = 0

    init(topics: [Int]) {
        self.cursors = topics.map(Cursor.init(topic:))
    }

    func cursorIndex(_ topic: Int) -> Int? {
        self.cursors.firstIndex { $0.topic == topic }
    }

    /// Forgets what the last owner was told, so that a new one is told everything that is open.
    mutating func restart() {
        self.credit = 0
        self.sequence = 0
        self.parkedSubjects = [:]
        self.overtaken = []
        self.earlyCommits = [:]
        for index in self.cursors.indices { self.cursors[index].restart() }
    }
}

/// A timer that a service set and that has not come due.
struct PendingTimer {
    var due: Instant
    var generation: UInt64
    var envelope: [UInt8]
}

/// A service's place in one partition of a topic.
struct Cursor {
    let topic: Int
    /// Everything before this offset is acknowledged.
    private(set) var floor: UInt64 = 0
    /// Acknowledged offsets at or above the floor.
    private(set) var acknowledged: Set<UInt64> = []
    /// The next offset to deliver for the first time in this epoch.
    var next: UInt64 = 0
    /// Failed deliveries, and when to try again.
    var failures: [UInt64: Failure] = [:]
    /// Offsets that came due for another delivery, ascending.
    var due: [UInt64] = []
    /// Offsets that wait: a fault holds them back, or a new owner got them before they were due.
    var parked: [UInt64: Parked] = [:]
    /// Offsets whose wait is over: the next attempt is not judged again.
    var cleared: Set<UInt64> = []
    /// Places of old events found by the last scan, ascending by offset.
    var backlog: [(offset: UInt64, place: EventPlace)] = []
    /// Where the next scan begins, and the first offset it is good for.
    var scan: (offset: UInt64, position: UInt64)?

    struct Failure {
        var attempts: Int
        var error: String
        /// Whether the next attempt waits for its time.
        var isWaiting: Bool
        /// When the next attempt may be made, whoever owns the partition by then.
        var due: Instant
    }

    struct Parked {
        var subject: String
        /// Whether it only waits behind another parked delivery of its subject.
        var isBehind: Bool
        /// When its wait ends; nil where only healing ends it.
        var until: Instant?
        /// The rule that holds it back; nil where none does.
        var rule: Int?
        /// Whether the next attempt is judged anew, as this one is lost or was none.
        var isJudgedAnew = false
    }

    init(topic: Int) {
        self.topic = topic
    }

    /// Reads what ``encode(into:)`` wrote.
    init(from reader: inout WireReader) throws(WireError) {
        self.topic = try reader.count()
        self.floor = try reader.varint()
        self.next = self.floor
        for _ in 0..<(try reader.count()) {
            self.acknowledged.insert(self.floor + (try reader.varint()))
        }
    }

    func encode(into writer: inout WireWriter) {
        writer.varint(UInt64(self.topic))
        writer.varint(self.floor)
        writer.varint(UInt64(self.acknowledged.count))
        for offset in self.acknowledged.sorted() { writer.varint(offset - self.floor) }
    }

    func isAcknowledged(_ offset: UInt64) -> Bool {
        offset < self.floor || self.acknowledged.contains(offset)
    }

    /// Notes that `offset` is done with; returns false where it already was.
    @discardableResult
    mutating func acknowledge(_ offset: UInt64) -> Bool {
        guard !self.isAcknowledged(offset) else { return false }
        if !self.failures.isEmpty { self.failures[offset] = nil }
        if offset == self.floor {
            self.floor += 1
            while !self.acknowledged.isEmpty, self.acknowledged.remove(self.floor) != nil {
                self.floor += 1
            }
        } else {
            self.acknowledged.insert(offset)
        }
        if self.next < self.floor { self.next = self.floor }
        return true
    }

    /// Returns the first of some offsets that is acknowledged; nil where none is.
    func firstAcknowledged(in offsets: Range<UInt64>) -> UInt64? {
        guard !offsets.isEmpty else { return nil }
        if offsets.lowerBound < self.floor { return offsets.lowerBound }
        guard !self.acknowledged.isEmpty else { return nil }
        return offsets.first { self.acknowledged.contains($0) }
    }

    /// Notes that each of some offsets is done with.
    mutating func acknowledge(_ offsets: Range<UInt64>) {
        guard self.acknowledged.isEmpty, self.failures.isEmpty, offsets.contains(self.floor)
        else {
            for offset in offsets { self.acknowledge(offset) }
            return
        }
        self.floor = offsets.upperBound
        if self.next < self.floor { self.next = self.floor }
    }

    /// Passes over what is no longer there.
    mutating func skip(to offset: UInt64) {
        guard offset > self.floor else { return }
        self.floor = offset
        self.acknowledged = self.acknowledged.filter { $0 >= offset }
        self.failures = self.failures.filter { $0.key >= offset }
        self.due.removeAll { $0 < offset }
        if self.next < offset { self.next = offset }
    }

    /// Returns the next offsets to deliver for the first time, without a gap and at most `count`,
    /// and counts them as delivered; none where there are none, or one of them has failed before.
    mutating func takeRun(to end: UInt64, atMost count: Int) -> Range<UInt64> {
        guard self.failures.isEmpty else { return self.next..<self.next }
        var start = self.next
        while start < end, self.isAcknowledged(start) { start += 1 }
        var last = min(end, start + UInt64(count))
        if !self.acknowledged.isEmpty {
            last = (start..<last).first { self.acknowledged.contains($0) } ?? last
        }
        self.next = max(start, last)
        return start..<max(start, last)
    }

    /// Takes the places that a scan up to `position` has found, unless others are still of use.
    mutating func found(_ places: [(offset: UInt64, place: EventPlace)], upTo position: UInt64) {
        guard let last = places.last else { return }
        if let known = self.backlog.last, known.offset >= self.next { return }
        self.backlog = places
        self.scan = (offset: last.offset + 1, position: position)
    }

    /// How many of the events from an offset on are acknowledged, those beyond a gap as well.
    func acknowledgedCount(from offset: UInt64) -> Int {
        (self.floor > offset ? Int(self.floor - offset) : 0)
            + self.acknowledged.count { $0 >= offset }
    }

    mutating func rewind(to offset: UInt64) {
        self.floor = offset
        self.acknowledged = []
        self.failures = [:]
        self.restart()
    }

    mutating func restart() {
        self.next = self.floor
        self.due = []
        self.parked = [:]
        self.cleared = []
        self.backlog = []
        self.scan = nil
        for offset in self.failures.keys.sorted() { self.failures[offset]?.isWaiting = false }
    }

    mutating func becameDue(_ offset: UInt64) {
        guard !self.isAcknowledged(offset), !self.due.contains(offset) else { return }
        let index = self.due.firstIndex { $0 > offset } ?? self.due.count
        self.due.insert(offset, at: index)
    }

    /// Events delivered or waiting that are not acknowledged.
    var openCount: Int { Int(self.next - self.floor) - self.acknowledged.count }
}
