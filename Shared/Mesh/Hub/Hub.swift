/// Names one connection to the hub; never used twice.
package struct ConnectionID: Sendable, Hashable, Comparable {
    package var rawValue: Int

    package init(_ rawValue: Int) {
        self.rawValue = rawValue
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The heart of the mesh: routes, orders, stores, delivers and fences.
///
/// Pure: it owns no socket, clock or thread. Its shell says what happened and when, then calls
/// ``flush(now:)``, which makes everything since the last flush durable in one group commit, and
/// only then sends what ``takeOutput(of:)`` returns. So no acknowledgement and no delivery leaves
/// before what it stands for is durable. Calls are made one after the other; order is arrival.
package final class Hub {
    /// What a hub is started with.
    package struct Configuration: Sendable {
        package var layout: MeshLayout
        /// The launch token of each `name/instance` that may connect.
        package var tokens: [String: String]
        /// The user that every peer must be.
        package var uid: UInt32
        /// Planted bugs, for showing that they are found; empty otherwise.
        package var flaws: Set<String>
        package var segmentBytesMax: Int

        package init(
            layout: MeshLayout,
            tokens: [String: String],
            uid: UInt32,
            flaws: Set<String> = [],
            segmentBytesMax: Int = 16 * 1024 * 1024
        ) {
            self.layout = layout
            self.tokens = tokens
            self.uid = uid
            self.flaws = flaws
            self.segmentBytesMax = segmentBytesMax
        }
    }

    enum Deadline {
        case retry(service: Int, partition: Int, cursor: Int, offset: UInt64, epoch: UInt64)
        case unpark(service: Int, partition: Int, cursor: Int, offset: UInt64, epoch: UInt64)
        case timer(service: Int, partition: Int, name: String, generation: UInt64)
        case revocation(service: Int, partition: Int, epoch: UInt64)
        /// Frames of a connection, or answers to it, that a fault held back.
        case frames(ConnectionID)
        /// Commits that came before their turn and have waited long enough.
        case earlyCommits(service: Int, partition: Int, epoch: UInt64)
        case roomCheck
    }

    /// A partition's state to be sent to its new owner; read once everything staged is written.
    struct JournalRequest {
        var connection: ConnectionID
        var service: Int
        var partition: Int
        var epoch: UInt64
        /// The first journal record to send; nil to begin with the assignment itself.
        var start: Int?
    }

    /// A question or command; answered once everything staged is written.
    struct AdminRequest {
        var connection: ConnectionID
        var number: UInt64
        var request: JSONValue
    }

    /// A delivery that failed for the last time; moved to the dead letters by the next flush.
    struct GivingUp {
        var service: Int
        var partition: Int
        var cursor: Int
        var offset: UInt64
        var attempts: Int
        var error: String
    }

    struct DeadLetterEntry {
        var number: UInt64
        var record: UInt64
        var isRedriven: Bool
    }

    let configuration: Configuration
    let layout: MeshLayout
    let log: Log
    var topics: [[TopicPartition]]
    var services: [[ServicePartition]]
    /// For each topic, the services that consume it and the number of its cursor with them.
    let consumers: [[(service: Int, cursor: Int)]]
    var publishers: [String: PublisherProgress]
    var deadLetters: [[DeadLetterEntry]]
    var deadlines = Deadlines<Deadline>()
    package internal(set) var rules = RuleChain()
    /// The links that the frame under way stands for; known only while rules look at frames.
    var passages: [Passage] = []
    /// When the input under way came.
    var timeOfInput = Instant.zero
    /// How many deadlines belong to timers that were cancelled since they were last cleared out.
    var cancelledTimerCount = 0
    /// Until when no timer fires, because the topology is about to end.
    var timersRestUntil = Instant.zero
    /// What goes wrong with the disk on purpose; nil where nothing can.
    package var diskFaults: DiskFaults?
    /// Milliseconds by which each service handles every event later.
    var handicaps: [Int: Int] = [:]
    /// How many syncs had taken longer when the disk was slowed down last.
    var delayedBefore = 0

    var connections = ConnectionTable<Connection>()
    /// Those who wait for the log to grow, ascending.
    var observers: [WaitingObserver] = []
    private var dirtyConnections = ConnectionTable<Void>()
    var closing: [ConnectionID] = []
    /// Service partitions that may have something to deliver, as (service, partition), the lowest
    /// last.
    var pumping: [Int] = []
    var journalRequests: [JournalRequest] = []
    var adminRequests: [AdminRequest] = []
    var givingUp: [GivingUp] = []
    var auditLines: [JSONValue] = []
    var needsSync = false
    /// How many segments the log had when retention was looked at last.
    var segmentCount = 0
    var attemptCounter: UInt64 = 0
    /// The events of the frame under way that go into the next record.
    var publishing: [PublishedEvent] = []
    /// Where the volatile events of the run under way end.
    var volatileEnds: [Int] = []
    /// Where the events of the record under way lie.
    var places: [EventPlace] = []
    /// The partition of each event that the commit under way emits.
    var emittedPartitions: [Int] = []
    /// The commit that came last, of whose parts only the room is of use.
    var lastCommit = CommitView()
    /// Whether the admins were told last that the disk is full.
    var toldFull = false
    var isRoomCheckArmed = false
    /// Whether there may be a connection whose first held frame waits for room.
    var mayWaitForRoom = false
    private var isClosed = false

    /// Opens the hub on a log, continuing where the log ends.
    ///
    /// - Throws: ``LogError`` where the log cannot be trusted or belongs to another layout.
    package init(configuration: Configuration, disk: any Disk, now: Instant) throws(LogError) {
        self.configuration = configuration
        self.layout = configuration.layout
        var recovery = HubRecovery(layout: configuration.layout, flaws: configuration.flaws)
        self.log = try Log(
            disk: disk,
            segmentBytesMax: configuration.segmentBytesMax,
            flaw: Log.RecoveryFlaw.allCases.first {
                configuration.flaws.contains($0.rawValue)
            },
            recoveringInto: &recovery
        )
        self.recoveredRecordCount = self.log.recordCount
        if let other = recovery.otherLayout {
            throw LogError(
                .otherLayout,
                "the log was written with other topics or services (\(Hex.text(other)), now "
                    + "\(Hex.text(layout.fingerprint))); use a new run folder for this topology"
            )
        }
        if let problem = recovery.problem { throw LogError(.corrupt, problem) }
        recovery.finished()
        self.topics = recovery.topics
        self.services = recovery.services
        self.publishers = recovery.publishers
        self.deadLetters = recovery.deadLetters
        let layout = configuration.layout
        self.consumers = (0..<layout.topicCount).map { topic in
            layout.services.indices.compactMap { service in
                layout.consumedTopics(of: service).firstIndex(of: topic).map { (service, $0) }
            }
        }
        self.log.checkpoint = { [unowned self] in self.checkpoint() }
        if self.log.recordCount == 0 {
            self.log.append { writer, _ in
                writer.record(.opened, at: now)
                writer.u64(layout.fingerprint)
            }
            try self.log.commit()
        }
        self.armRecoveredTimers()
    }

    private func armRecoveredTimers() {
        for service in self.services.indices {
            for partition in self.services[service].indices {
                let timers = self.services[service][partition].timers
                for name in timers.keys.sorted() {
                    guard let timer = timers[name] else { continue }
                    self.deadlines.add(
                        .timer(
                            service: service,
                            partition: partition,
                            name: name,
                            generation: timer.generation
                        ),
                        due: timer.due
                    )
                }
            }
        }
    }

    /// Whether a bug is planted.
    func isFlawed(_ flaw: String) -> Bool {
        !self.configuration.flaws.isEmpty && self.configuration.flaws.contains(flaw)
    }

    /// How many timers, second attempts and ends of waits are noted.
    package var deadlineCount: Int { self.deadlines.count }

    /// How many records were read at opening.
    package let recoveredRecordCount: Int

    /// Where the log ends.
    package var position: UInt64 { self.log.end }

    /// When ``timePassed(now:)`` must be called at the latest, or nil where nothing is due.
    package var nextDeadline: Instant? { self.deadlines.next }

    /// Does what is due: timers, second attempts, ends of delays.
    package func timePassed(now: Instant) {
        self.timeOfInput = now
        while let deadline = self.deadlines.pop(dueAt: now) {
            switch deadline {
            case .retry(let service, let partition, let cursor, let offset, let epoch):
                self.retryCameDue(service, partition, cursor, offset, epoch)
            case .unpark(let service, let partition, let cursor, let offset, let epoch):
                self.waitEnded(service, partition, cursor, offset, epoch, now)
            case .timer(let service, let partition, let name, let generation):
                self.timerCameDue(service, partition, name, generation, now)
            case .revocation(let service, let partition, let epoch):
                self.revocationExpired(service, partition, epoch, now)
            case .frames(let id):
                self.framesCameDue(id, now)
            case .earlyCommits(let service, let partition, let epoch):
                self.earlyCommitsExpired(service, partition, epoch, now)
            case .roomCheck: self.roomCheckCameDue(now)
            }
        }
    }

    /// Makes everything since the last flush durable, then prepares deliveries and answers.
    ///
    /// - Throws: ``LogError``; the shell must then drop this hub with all connections and output,
    ///   and open a new one on the log.
    package func flush(now: Instant) throws(LogError) {
        repeat {
            try self.commitStaged()
            if self.hasRoomForTurns {
                for failed in self.takeGivingUp() { try self.giveUp(failed, now) }
            }
            // What is answered next may be read from the log, and only what is durable can be.
            try self.commitStaged()
            for request in self.takeJournalRequests() { try self.answer(request) }
            for request in self.takeAdminRequests() { try self.answer(request, now) }
        } while self.log.hasStaged
        while self.hasRoomForTurns, let key = self.pumping.popLast() {
            try self.pump(service: key >> 16, partition: key & 0xFFFF, now: now)
        }
        if self.log.segmentCount != self.segmentCount {
            try self.enforceRetention(now)
            self.segmentCount = self.log.segmentCount
        }
        self.tellObservers()
        self.watchRoom(now)
    }

    private func commitStaged() throws(LogError) {
        guard self.log.hasStaged else { return }
        let isFlawed = self.configuration.flaws.contains("ack-before-commit")
        try self.log.commit(syncing: self.needsSync && !isFlawed)
        self.needsSync = false
        if self.isClosed { try self.giveBack() }
    }

    private func giveBack() throws(LogError) {
        do { try self.log.giveBack() } catch { throw LogError(error) }
    }

    private func takeJournalRequests() -> [JournalRequest] {
        defer { self.journalRequests = [] }
        return self.journalRequests
    }

    private func takeGivingUp() -> [GivingUp] {
        defer { self.givingUp = [] }
        return self.givingUp
    }

    private func takeAdminRequests() -> [AdminRequest] {
        defer { self.adminRequests = [] }
        return self.adminRequests
    }

    /// Ends the log in order, so that what follows is a clean start.
    ///
    /// Flush afterwards, then stop.
    package func closed(now: Instant) {
        self.log.append { writer, _ in writer.record(.closed, at: now) }
        self.needsSync = true
        self.isClosed = true
    }

    // MARK: Output

    /// The connections with something to send, in ascending order; asking clears the list.
    package func takeDirtyConnections() -> [ConnectionID] {
        defer { self.dirtyConnections.removeAll() }
        return self.dirtyConnections.keys
    }

    /// Returns the frames to send on a connection, and forgets them.
    package func takeOutput(of id: ConnectionID) -> [UInt8] {
        guard let connection = self.connections[id], !connection.isCut else { return [] }
        let bytes = connection.out.bytes
        connection.out.bytes = []
        return bytes
    }

    /// Lends the frames to send on a connection to `send`, which leaves the array empty.
    ///
    /// Unlike with ``takeOutput(of:)`` its memory is used again.
    package func sendOutput(of id: ConnectionID, _ send: (inout [UInt8]) -> Void) {
        guard let connection = self.connections[id], !connection.isCut,
            !connection.out.bytes.isEmpty
        else { return }
        send(&connection.out.bytes)
    }

    /// Lends the frames to send to `send`, connection by connection in ascending order, as
    /// ``sendOutput(of:_:)`` does, and clears the list of those with something to send.
    package func sendOutput(_ send: (ConnectionID, inout [UInt8]) -> Void) {
        for index in 0..<self.dirtyConnections.count {
            let id = self.dirtyConnections.keys[index]
            self.sendOutput(of: id) { send(id, &$0) }
        }
        self.dirtyConnections.removeAll()
    }

    /// The connections to close once their output is sent; asking clears the list.
    package func takeClosing() -> [ConnectionID] {
        if self.closing.isEmpty { return [] }
        defer { self.closing = [] }
        return self.closing
    }

    /// What was refused and why, one object each; asking clears the list.
    package func takeAudit() -> [JSONValue] {
        defer { self.auditLines = [] }
        return self.auditLines
    }

    func send(to id: ConnectionID, _ write: (inout WireWriter) -> Void) {
        guard let connection = self.connections[id] else { return }
        write(&connection.out)
        self.hasOutput(id)
    }

    /// Notes that something may be sent on a connection.
    func hasOutput(_ id: ConnectionID) { self.dirtyConnections[id] = () }

    /// Forgets a connection that is gone.
    func hasNoOutput(_ id: ConnectionID) { self.dirtyConnections[id] = nil }

    func mayDeliver(_ service: Int, _ partition: Int) {
        let key = service << 16 | partition
        var (low, high) = (0, self.pumping.count)
        while low < high {
            let middle = (low + high) / 2
            if self.pumping[middle] > key { low = middle + 1 } else { high = middle }
        }
        if low == self.pumping.count || self.pumping[low] != key {
            self.pumping.insert(key, at: low)
        }
    }

    /// Lets the consumers of a partition of a topic know that it grew.
    func grew(topic: Int, partition: Int) {
        for consumer in self.consumers[topic] { self.mayDeliver(consumer.service, partition) }
        guard self.topics[topic][partition].isCrowded else { return }
        let next = self.consumers[topic].map { service, cursor in
            self.services[service][partition].cursors[cursor].next
        }
        self.topics[topic][partition].forget(before: next.min() ?? .max)
    }
}

/// One connection as the hub sees it.
final class Connection {
    let peer: PeerCredentials
    /// Nil until the client has said who it is and was let in.
    private(set) var hello: Hello?
    private(set) var service: Int?
    /// The name as the source of events has it.
    private(set) var source: [UInt8] = []
    /// For each declared topic, whether the client may emit to it.
    private(set) var emits: [Bool] = []
    var out = WireWriter()
    /// Whether a fault cuts the client off; then frames wait on both sides.
    var isCut = false
    private var heldFrames: [[UInt8]] = []
    private(set) var heldBytes = 0
    /// What a fault on one of its links holds back, from the client and to it.
    var inbound = HeldFrames()
    var outbound = HeldFrames()
    /// When what is held back is looked at next, as far as that is arranged.
    var framesDue: Instant?
    /// The last event that was refused: those that the client sent behind it, before it heard
    /// that, may be refused too but not stored.
    private(set) var refusedUpTo: UInt64?
    /// All numbers that were refused and not stored since: one that comes again is refused again,
    /// as the client may have heard of it.
    private var refusals: [ClosedRange<UInt64>] = []
    /// When the audit log may be told again that there is no room.
    var nextFullAudit = Instant.zero
    /// After which event one was missing when the publisher was last told.
    var gapAfter: UInt64?
    /// Whether the client was told to seal what it sends.
    var isSealing = false
    /// Whether the instance is to end: it gets no partitions any more.
    var isLeaving = false
    /// Whether its first held frame is a commit for which the disk has no room.
    var waitsForRoom = false

    /// Notes that an event was refused which the publisher may not have heard of.
    func refused(_ sequence: UInt64) {
        self.refusedUpTo = sequence
        self.gapAfter = nil
        guard !self.hasRefused(sequence) else { return }
        if let last = self.refusals.last, last.upperBound &+ 1 == sequence, sequence > 0 {
            self.refusals[self.refusals.count - 1] = last.lowerBound...sequence
        } else {
            self.refusals.append(sequence...sequence)
            if self.refusals.count > PublisherProgress.rangesMax { self.refusals.removeFirst() }
        }
    }

    func hasRefused(_ sequence: UInt64) -> Bool {
        self.refusals.contains { $0.contains(sequence) }
    }

    /// Notes that everything up to there is stored, or known to be refused.
    func stored(upTo sequence: UInt64) {
        if !self.refusals.isEmpty { self.refusals.removeAll { $0.upperBound <= sequence } }
    }

    /// Keeps a frame for later.
    func hold(_ frame: [UInt8]) {
        self.heldFrames.append(frame)
        self.heldBytes += frame.count
    }

    /// Returns the frames that were kept, and forgets them.
    func takeHeldFrames() -> [[UInt8]] {
        defer {
            self.heldFrames = []
            self.heldBytes = 0
        }
        return self.heldFrames
    }

    init(peer: PeerCredentials) {
        self.peer = peer
    }

    /// The client was let in.
    func admit(_ hello: Hello, _ layout: MeshLayout) {
        self.hello = hello
        self.source = Array(hello.name.utf8)
        if hello.role == .service { self.service = layout.serviceIndex(hello.name) }
        let names =
            self.service.map { layout.services[$0].emits }
            ?? layout.publishers.first { $0.name == hello.name }?.emits ?? []
        self.emits = layout.topics.map { names.contains($0.name) }
    }

    var name: String { self.hello?.instance ?? "pid \(self.peer.pid)" }
}
