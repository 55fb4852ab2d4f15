/// An instance of a service, as it talks to the hub: owns partitions, keeps the order of each
/// subject, commits turns, and forgets everything that the hub no longer confirms.
///
/// Pure: it is told what arrived and what the service did, returns what the service must do now,
/// and leaves frames to send in ``takeOutput()``.
package struct ServiceClient: Sendable {
    package enum Action: Sendable {
        /// The hub let the instance in.
        indirect case welcomed(Welcome)
        /// Begin with fresh state for this partition, from a snapshot where there is one.
        case restore(partition: Int, snapshot: [UInt8]?)
        /// Apply a change of the journal.
        case apply(partition: Int, change: [UInt8])
        /// The state is complete; deliveries follow.
        case ready(partition: Int)
        /// Handle a delivery; then ``decided(_:_:_:)``, ``folded(_:_:)`` or ``failed(_:_:_:)``.
        case handle(partition: Int, epoch: UInt64, Delivery)
        /// A turn is durable.
        case committed(partition: Int, epoch: UInt64, sequence: UInt64)
        /// Forget the partition's state and everything under way.
        case forget(partition: Int, reason: String)
        /// Commit a projection's state now: a shutdown or a move is near.
        case takeSnapshot(partition: Int)
        /// The hub refused this instance for good.
        case refused(Refusal)
        /// A fault: handle every event this much later.
        case handicap(milliseconds: Int)
    }

    private let hello: Hello
    private let flaws: Set<String>
    private var out = WireWriter()
    /// How many unacknowledged deliveries a partition may hold.
    private var window = 1
    private var partitions = OwnedPartitions()
    /// All topics, by number.
    private var topics: [MeshLayout.Topic] = []
    private var isSealing = false
    /// The texts of the events that were read last.
    private var texts = RecentTexts(keeps: true)
    private var deliveries = RecentDeliveries()

    /// Creates the client of one instance.
    ///
    /// `flaws` are the bugs planted in it; none otherwise.
    package init(hello: Hello, flaws: Set<String> = []) {
        self.hello = hello
        self.flaws = flaws
    }

    /// Returns the frames to send, and forgets them.
    package mutating func takeOutput() -> [UInt8] {
        guard !self.out.bytes.isEmpty else { return [] }
        let bytes = self.out.bytes
        self.out.bytes = []
        // The next ones are likely to be as large, and need not grow step by step.
        if bytes.count > WireWriter.frameBytesUsual {
            self.out.bytes.reserveCapacity(min(bytes.count, Frame.batchBytes))
        }
        guard self.isSealing else { return bytes }
        return Seal.sealed(frames: bytes, as: Frame.ToHub.sealed.rawValue)
    }

    /// The number of a topic, once welcomed.
    package func topic(_ name: String) -> Int? { self.topics.firstIndex { $0.name == name } }

    /// Whether this epoch of this partition is still the instance's to commit to.
    package func owns(_ partition: Int, epoch: UInt64) -> Bool {
        self.partitions[partition]?.epoch == epoch
    }

    /// The partitions that the instance owns, ascending.
    package var owned: [Int] { self.partitions.owned }

    // MARK: Connection

    /// The connection to the hub stands.
    package mutating func connected() {
        self.out = WireWriter()
        self.hello.encode(into: &self.out)
    }

    /// The connection is gone: nothing that the hub has not confirmed may be relied on.
    package mutating func disconnected() -> [Action] {
        let owned = self.owned
        self.partitions = OwnedPartitions()
        self.isSealing = false
        self.out = WireWriter()
        return owned.map { .forget(partition: $0, reason: "the hub is gone") }
    }

    /// A frame that is being read, action by action.
    package struct Reading: ~Copyable {
        fileprivate var reader: WireReader
        /// What is to be done, where that is one thing; nearly always it is.
        fileprivate var action: Action?
        /// What is to be done, the last first; deliveries are read one at a time instead.
        fileprivate var actions: [Action] = []
        fileprivate var partition = 0
        fileprivate var epoch: UInt64 = 0
        fileprivate var topic = 0
        fileprivate var offset: UInt64 = 0
        fileprivate var attempt = 0
    }

    /// Begins to read a frame that has arrived; `frame` is its body, and must outlive the reading.
    ///
    /// Each action of ``next(_:)`` is to be done before the next one is asked for, so that the
    /// second event of a subject is only handed out when the first is done with, or waits; and it
    /// must be asked for until there is none.
    ///
    /// - Throws: `WireError` where it cannot be read; then close the connection.
    package mutating func read(
        _ frame: UnsafeRawBufferPointer
    ) throws(WireError) -> Reading {
        var reading = Reading(reader: WireReader(frame))
        let code = try reading.reader.u8()
        switch Frame.FromHub(rawValue: code) {
        case .deliver:
            reading.partition = try reading.reader.count()
            reading.epoch = try reading.reader.varint()
            reading.topic = try reading.reader.count()
            reading.offset = try reading.reader.varint()
            reading.attempt = try reading.reader.count()
        case .committed:
            reading.action = try self.committed(&reading.reader)
            reading.reader.offset = frame.count
        case .sealed:
            let isFlawed = !self.flaws.isEmpty && self.flaws.contains("damage-unnoticed")
            guard let inside = Seal.opened(frame, isFlawed: isFlawed) else {
                reading.reader.offset = frame.count
                return reading
            }
            return try self.read(inside)
        default:
            reading.actions = try self.actions(&reading.reader, code).reversed()
            reading.reader.offset = frame.count
        }
        return reading
    }

    /// Returns what to do next because of a frame; nil where that was all.
    ///
    /// - Throws: `WireError` where it cannot be read; then close the connection.
    package mutating func next(_ reading: inout Reading) throws(WireError) -> Action? {
        self.deliveries.endLoan()
        if let action = reading.action.take() ?? reading.actions.popLast() { return action }
        while !reading.reader.isAtEnd {
            if let action = try self.delivered(&reading) { return action }
        }
        return nil
    }

    /// Returns all that is to be done because of a frame that has arrived; `frame` is its body.
    ///
    /// - Throws: `WireError` where it cannot be read; then close the connection.
    package mutating func received(
        _ frame: UnsafeRawBufferPointer
    ) throws(WireError) -> [Action] {
        var reading = try self.read(frame)
        var actions: [Action] = []
        while let action = try self.next(&reading) { actions.append(action) }
        return actions
    }

    private mutating func actions(
        _ reader: inout WireReader,
        _ code: UInt8
    ) throws(WireError) -> [Action] {
        switch Frame.FromHub(rawValue: code) {
        case .welcome: return try self.welcomed(&reader)
        case .refused:
            let code = Refusal.Code(rawValue: try reader.u8()) ?? .malformed
            return [.refused(Refusal(code, try reader.text()))]
        case .assign: return try self.assigned(&reader)
        case .revoke: return try self.revoked(&reader).map { [$0] } ?? []
        case .journal: return try self.journal(&reader)
        case .commitRefused: return try self.commitRefused(&reader)
        case .settled: return try self.settled(&reader).map { [$0] } ?? []
        case .drain:
            return self.owned.map { .takeSnapshot(partition: $0) }
        case .handicap:
            return [.handicap(milliseconds: try reader.count())]
        case .seal:
            self.isSealing = try reader.u8() == 1
            return []
        default:
            throw WireError("the hub sent a frame of kind \(code), which is not for a service")
        }
    }

    private mutating func committed(_ reader: inout WireReader) throws(WireError) -> Action? {
        let partition = try reader.count()
        let epoch = try reader.varint()
        let sequence = try reader.varint()
        guard self.partitions.with(partition, epoch, { $0.answered(sequence) }) != nil
        else { return nil }
        return .committed(partition: partition, epoch: epoch, sequence: sequence)
    }

    private mutating func welcomed(_ reader: inout WireReader) throws(WireError) -> [Action] {
        let welcome = try Welcome(from: &reader)
        self.window = welcome.window
        self.topics = welcome.topics
        return [.welcomed(welcome)]
    }

    /// How long a commit may stay unconfirmed until the hub is asked about it, at least.
    package static let answerPatience = Duration.milliseconds(500)

    /// Asks the hub about commits where none was confirmed since the last call; returns whether
    /// any is open, so that this has to be called again after ``answerPatience``.
    ///
    /// A commit or its answer may be lost. Where the commit is, the hub hands the partition out
    /// anew; where only the answer is, it answers again.
    package mutating func askAboutUnanswered() -> Bool {
        var isAnyOpen = false
        for partition in self.owned {
            guard var state = self.partitions[partition] else { continue }
            let isStuck = state.isStuck()
            self.partitions[partition] = state
            isAnyOpen = isAnyOpen || state.hasUnanswered
            guard isStuck else { continue }
            self.out.frame(.unanswered) {
                $0.varint(UInt64(partition))
                $0.varint(state.epoch)
                $0.varint(state.sequence)
            }
        }
        return isAnyOpen
    }

    // MARK: Ownership

    private mutating func assigned(_ reader: inout WireReader) throws(WireError) -> [Action] {
        let partition = try reader.count()
        guard partition < OwnedPartitions.countMax else {
            throw WireError("the hub assigns partition \(partition), which is absurd")
        }
        let epoch = try reader.varint()
        var floors: [(topic: Int, offset: UInt64)] = []
        for _ in 0..<(try reader.count()) {
            floors.append((try reader.count(), try reader.varint()))
        }
        let snapshot = try reader.u8() == 1 ? try reader.counted() : nil
        var actions: [Action] = []
        if self.partitions[partition] != nil {
            actions.append(.forget(partition: partition, reason: "it is assigned anew"))
        }
        self.partitions[partition] = OwnedPartition(epoch: epoch, floors: floors)
        actions.append(.restore(partition: partition, snapshot: snapshot))
        return actions
    }

    private mutating func journal(_ reader: inout WireReader) throws(WireError) -> [Action] {
        let partition = try reader.count()
        let epoch = try reader.varint()
        let isLast = try reader.u8() == 1
        let next = try reader.varint()
        var actions: [Action] = []
        let count = try reader.count()
        for _ in 0..<count {
            actions.append(.apply(partition: partition, change: try reader.counted()))
        }
        guard self.partitions.with(partition, epoch, { $0.phase }) == .restoring
        else { return [] }
        guard isLast else {
            self.out.frame(.more) {
                $0.varint(UInt64(partition))
                $0.varint(epoch)
                $0.varint(next)
            }
            return actions
        }
        self.partitions[partition]?.phase = .ready
        self.sendCredit(partition, epoch, self.window)
        actions.append(.ready(partition: partition))
        return actions
    }

    private mutating func sendCredit(_ partition: Int, _ epoch: UInt64, _ credit: Int) {
        self.out.frame(.credit) {
            $0.varint(UInt64(partition))
            $0.varint(epoch)
            $0.varint(UInt64(credit))
        }
    }

    private mutating func revoked(_ reader: inout WireReader) throws(WireError) -> Action? {
        let partition = try reader.count()
        let epoch = try reader.varint()
        let hasFolded = self.partitions.with(partition, epoch) { state in
            defer { state.phase = .releasing }
            return state.phase == .ready && !state.folded.isEmpty
        }
        guard let hasFolded else { return nil }
        // A projection commits what it has folded first; then it has nothing in hand.
        return hasFolded ? .takeSnapshot(partition: partition) : self.releaseIfIdle(partition)
    }

    private mutating func releaseIfIdle(_ partition: Int) -> Action? {
        guard let state = self.partitions[partition], state.phase == .releasing,
            state.handling == 0, state.folded.isEmpty
        else { return nil }
        self.out.frame(.released) {
            $0.varint(UInt64(partition))
            $0.varint(state.epoch)
        }
        self.partitions[partition] = nil
        return .forget(partition: partition, reason: "it moves to another instance")
    }

    private mutating func commitRefused(_ reader: inout WireReader) throws(WireError) -> [Action] {
        let partition = try reader.count()
        let epoch = try reader.varint()
        let sequence = try reader.varint()
        let code = Refusal.Code(rawValue: try reader.u8()) ?? .malformed
        let message = try reader.text()
        guard self.owns(partition, epoch: epoch) else { return [] }
        self.partitions[partition] = nil
        let reason = "commit \(sequence) was refused: \(code): \(message)"
        return [.forget(partition: partition, reason: reason)]
    }

    // MARK: Deliveries

    /// Reads the next event of a delivery; returns nil where it is not to be handled now.
    private mutating func delivered(_ reading: inout Reading) throws(WireError) -> Action? {
        let (offset, overflow) = reading.offset.addingReportingOverflow(1)
        guard !overflow else { throw WireError("offset \(reading.offset) is absurd") }
        let delivery = try self.deliveries.delivery(
            reading.topic,
            reading.offset,
            reading.attempt,
            try reading.reader.view(),
            like: &self.texts
        )
        reading.offset = offset
        let (partition, epoch) = (reading.partition, reading.epoch)
        let isNow = self.partitions.with(partition, epoch) {
            $0.phase == .ready ? $0.take(delivery) : nil
        }
        guard let isNow = isNow ?? nil else { return nil }
        guard isNow else {
            // It waits for its subject, beyond the end of the frame.
            delivery.keepData()
            return self.flaws.isEmpty ? nil : self.takenByMistake(delivery, partition, epoch)
        }
        return .handle(partition: partition, epoch: epoch, delivery)
    }

    /// The planted bugs: what is a repeat, or must wait for its subject, is handled all the same.
    private mutating func takenByMistake(
        _ delivery: Delivery,
        _ partition: Int,
        _ epoch: UInt64
    ) -> Action? {
        let subject = delivery.subject
        let isWaiting = self.partitions[partition]?.queues[subject]?.takeBack(delivery)
        let flaw = isWaiting == true ? "subject-order-lost" : "repeats-handled"
        guard self.flaws.contains(flaw) else {
            if isWaiting == true {
                self.partitions[partition]?.queues[subject]?.waiting.append(delivery)
            }
            return nil
        }
        self.partitions[partition]?.handling += 1
        return .handle(partition: partition, epoch: epoch, delivery)
    }

    private mutating func settled(_ reader: inout WireReader) throws(WireError) -> Action? {
        let partition = try reader.count()
        let epoch = try reader.varint()
        let place = Acknowledgement(topic: try reader.count(), offset: try reader.varint())
        let next = self.partitions.with(partition, epoch) { $0.settled(place) }
        guard let next = next ?? nil else { return nil }
        return .handle(partition: partition, epoch: epoch, next)
    }

    // MARK: What the service did

    /// A turn has decided: its commit leaves now, in the order of decisions.
    ///
    /// - Returns: the sequence number of the commit, or nil where the partition is lost.
    package mutating func decided(
        _ partition: Int,
        epoch: UInt64,
        _ delivery: Delivery,
        _ decision: TurnDecision
    ) -> UInt64? {
        let sequence = self.partitions.with(partition, epoch) {
            $0.commitsSinceSnapshot =
                decision.snapshot == nil ? $0.commitsSinceSnapshot + 1 : 0
            return $0.nextSequence()
        }
        guard let sequence else { return nil }
        let commit = Commit(
            partition: partition,
            epoch: epoch,
            sequence: sequence,
            credit: 1
        )
        let run = CollectionOfOne(AcknowledgedRun(delivery.place))
        commit.encode(acknowledging: run, decision, into: &self.out)
        return sequence
    }

    /// Sends emitted events in a commit of their own, apart from the turn's: a planted bug.
    package mutating func emittedOutsideTurn(
        _ partition: Int,
        epoch: UInt64,
        _ decision: TurnDecision
    ) {
        let sequence = self.partitions.with(partition, epoch) { $0.nextSequence() }
        guard let sequence else { return }
        let commit = Commit(partition: partition, epoch: epoch, sequence: sequence)
        commit.encode(acknowledging: EmptyCollection(), decision, into: &self.out)
    }

    /// How many turns committed since the partition's last snapshot.
    package func commitsSinceSnapshot(_ partition: Int) -> Int {
        self.partitions[partition]?.commitsSinceSnapshot ?? 0
    }

    /// The handler of a delivery that has decided is over: its subject goes on.
    package mutating func finished(
        _ partition: Int,
        epoch: UInt64,
        _ delivery: Delivery
    ) -> Action? {
        let after = self.partitions.with(partition, epoch) { $0.finished(delivery) }
        return after.flatMap { self.goOn(partition, epoch, $0) }
    }

    private mutating func goOn(
        _ partition: Int,
        _ epoch: UInt64,
        _ after: OwnedPartition.Finish
    ) -> Action? {
        if let next = after.next { return .handle(partition: partition, epoch: epoch, next) }
        return after.isReleasing ? self.releaseIfIdle(partition) : nil
    }

    /// A projection has folded a delivery into its state.
    package mutating func folded(
        _ partition: Int,
        epoch: UInt64,
        _ delivery: Delivery
    ) -> Action? {
        let window = self.window
        let course = self.partitions.with(partition, epoch) {
            (credit: $0.fold(delivery.place, window), after: $0.finished(delivery))
        }
        guard let course else { return nil }
        if course.credit > 0 { self.sendCredit(partition, epoch, course.credit) }
        return self.goOn(partition, epoch, course.after)
    }

    /// How many deliveries a projection has folded since its last commit.
    package func foldedCount(_ partition: Int) -> Int {
        self.partitions[partition]?.foldedCount ?? 0
    }

    /// Commits a projection's snapshot together with its places and what it publishes.
    package mutating func snapshotTaken(_ partition: Int, _ decision: TurnDecision) -> Action? {
        guard let state = self.partitions[partition], state.phase != .restoring,
            !state.folded.isEmpty
        else { return nil }
        let commit = Commit(
            partition: partition,
            epoch: state.epoch,
            sequence: state.sequence + 1,
            credit: state.spent
        )
        commit.encode(acknowledging: state.folded, decision, into: &self.out)
        self.partitions[partition]?.snapshotTaken()
        return self.releaseIfIdle(partition)
    }

    /// A handler threw: ask for another attempt later.
    package mutating func failed(
        _ partition: Int,
        epoch: UInt64,
        _ delivery: Delivery,
        _ error: String
    ) -> Action? {
        guard self.partitions.with(partition, epoch, { $0.failed(delivery) }) != nil
        else { return nil }
        self.out.frame(.nack) {
            $0.varint(UInt64(partition))
            $0.varint(epoch)
            $0.varint(UInt64(delivery.topic))
            $0.varint(delivery.offset)
            $0.text(String(error.prefix(500)))
        }
        return self.releaseIfIdle(partition)
    }
}
