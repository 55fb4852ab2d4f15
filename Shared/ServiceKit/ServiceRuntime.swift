public import Mesh

/// Runs one instance of a service: one actor for each partition it owns, turns, commits, recovery.
///
/// The same in both worlds: it holds a ``ServiceClient`` and does what that says. All calls are
/// made on the world's executor. For worlds only; what they call for each frame is public because
/// the compiler makes it anew for each service only then.
public final class ServiceRuntime<S: Service>: @unchecked Sendable {
    // Confined to the world's executor.

    /// One partition's actor; a class so that what is noted of it costs no copy of it.
    private final class Partition {
        let service: S
        /// The delivery that a projection folded last.
        var lastFolded: Delivery?
        var isSnapshotArmed = false
        /// The state before the last turn; kept only for the planted bug.
        var snapshotBefore: [UInt8]?
        /// How large the last snapshot was, and the changes since then are.
        var snapshotBytes = 0
        var changeBytes = 0

        init(service: S) {
            self.service = service
        }
    }

    private let world: any ServiceWorld
    private let flaws: Flaws
    private var client: ServiceClient
    /// The states by partition, each of them a ``Partition``.
    ///
    /// Said so only where one is taken out: a list of no service's own type is faster.
    private var partitions: [AnyObject?] = []
    private var welcome: Welcome?
    private var settings = JSONValue.object([])
    /// How outside parties are called; the same for all partitions of the instance.
    private var policy: CallPolicy?
    /// The handler of each type of event: a few, so that looking is faster than hashing.
    private let handlers: [Subscription<S>]
    private let isProjection = S.self is any Projection.Type
    /// What a projection publishes of its state after an event; nil for other services.
    private let published: Publication<S>?
    private let desk = TurnDesk<S>()
    private var handicap = Duration.zero
    /// When a service that a fault slows down is done with what it was given so far.
    private var busyUntil = Instant.zero
    /// The turn whose handler runs now, where that is one that does not suspend: whoever runs it
    /// holds the turn.
    private var current: Unmanaged<Turn<S>>?
    /// The turns whose handlers may suspend and have not ended.
    private var suspended: [ObjectIdentifier: Turn<S>] = [:]
    /// Whether a look at unconfirmed commits is due; only ever while there are some.
    private var isWatchingAnswers = false

    /// How long a projection waits for more events before it commits what it has folded.
    private static var quietTime: Duration { .milliseconds(200) }

    /// Creates the runtime of the instance of that name.
    package init(world: any ServiceWorld, instance: String, token: String) {
        self.world = world
        self.flaws = world.flaws
        self.published = (S.self as? any Projection.Type)?.published(by: S.self)
        var topics: [String] = []
        self.handlers = S.consumes
        for subscription in self.handlers {
            if !subscription.topic.isEmpty, !topics.contains(subscription.topic) {
                topics.append(subscription.topic)
            }
        }
        self.client = ServiceClient(
            hello: Hello(
                role: .service,
                name: S.name,
                instance: instance,
                token: token,
                consumes: topics,
                isProjection: self.isProjection
            ),
            flaws: world.flaws.names
        )
        self.desk.onDecision = { [unowned self] in self.decided($0) }
    }

    deinit {
        // What a turn decides that somebody kept goes nowhere.
        self.desk.onDecision = { _ in }
    }

    // MARK: What the world says

    /// The connection to the hub stands.
    public func connected() {
        self.client.connected()
        self.flush()
    }

    /// The connection is gone; the world will try again.
    public func disconnected() {
        for action in self.client.disconnected() { self.perform(action) }
    }

    /// A frame of the hub has arrived; `frame` is its body.
    ///
    /// - Throws: `WireError` where it cannot be read; then close the connection.
    public func received(_ frame: UnsafeRawBufferPointer) throws(WireError) {
        var reading = try self.client.read(frame)
        while let action = try self.client.next(&reading) { self.perform(action) }
        self.flush()
    }

    /// The instance shall end soon: projections commit what they have.
    public func drain() {
        for partition in self.client.owned { self.takeSnapshot(partition) }
        self.flush()
    }

    /// The events whose handlers have begun and not ended.
    package var handling: [EventEnvelope] {
        if let current = self.current { return [current.takeUnretainedValue().event] }
        return self.suspended.values.map(\.event).sorted { $0.id < $1.id }
    }

    private func flush() {
        let frames = self.client.takeOutput()
        if !frames.isEmpty { self.world.send(frames) }
    }

    /// Asks the client something in its place: a question put to a property copies its value.
    private func asking<Answer>(_ question: (inout ServiceClient) -> Answer) -> Answer {
        question(&self.client)
    }

    private func perform(_ action: ServiceClient.Action?) {
        if let action { self.perform(action) }
    }

    private func perform(_ action: ServiceClient.Action) {
        switch action {
        case .welcomed(let welcome):
            self.welcome = welcome
            self.desk.welcomed(topics: welcome.topics)
            self.settings = (try? JSONValue(parsing: welcome.settings)) ?? .object([])
        case .restore(let partition, let snapshot):
            self.restore(partition, snapshot)
        case .apply(let partition, let change):
            self.apply(partition, change)
        case .ready(let partition):
            self.world.log(.info, "partition \(partition) is ready")
        case .handle(let partition, let epoch, let delivery):
            self.handleInTime(partition, epoch, delivery)
        case .committed:
            break
        case .forget(let partition, let reason):
            self.setState(of: partition, to: nil)
            self.world.log(.info, "partition \(partition) is given up: \(reason)")
        case .takeSnapshot(let partition):
            self.takeSnapshot(partition)
        case .refused(let refusal):
            self.world.shutOut(refusal.description)
        case .handicap(let milliseconds):
            self.handicap = .milliseconds(milliseconds)
        }
    }

    // MARK: State

    private func state(of partition: Int) -> Partition? {
        guard partition < self.partitions.count, let state = self.partitions[partition] else {
            return nil
        }
        return unsafeDowncast(state, to: Partition.self)
    }

    private func setState(of partition: Int, to state: Partition?) {
        while self.partitions.count <= partition { self.partitions.append(nil) }
        self.partitions[partition] = state
    }

    private func newPolicy() -> CallPolicy {
        CallPolicy(settings: self.settings, flaws: self.world.flaws) { [world] in
            world.log(.error, $0)
        }
    }

    private func restore(_ partition: Int, _ snapshot: [UInt8]?) {
        let policy = self.policy ?? self.newPolicy()
        self.policy = policy
        let host = PartitionHost(
            world: self.world,
            policy: policy,
            service: S.name,
            partition: partition,
            partitions: self.welcome?.partitions ?? 1,
            settings: self.settings
        )
        let service = S(host: host)
        if let snapshot, !snapshot.isEmpty {
            do {
                try service.confined(snapshot) { try $0.restore(from: $1) }
            } catch {
                self.world.shutOut("the snapshot of partition \(partition) is unreadable: \(error)")
                return
            }
        }
        let state = Partition(service: service)
        state.snapshotBytes = snapshot?.count ?? 0
        self.setState(of: partition, to: state)
    }

    private func apply(_ partition: Int, _ bytes: [UInt8]) {
        guard let state = self.state(of: partition) else { return }
        do {
            let change = try S.Change(decoding: bytes)
            state.service.confined(change) { $0.apply($1) }
            state.changeBytes += bytes.count
        } catch {
            self.world.shutOut("the journal of partition \(partition) is unreadable: \(error)")
        }
    }

    // MARK: Turns

    /// Handles a delivery now, or later where a fault slows this service down.
    private func handleInTime(_ partition: Int, _ epoch: UInt64, _ delivery: Delivery) {
        let now = self.world.now()
        guard self.handicap > .zero || self.busyUntil > now else {
            return self.handle(partition, epoch, delivery)
        }
        self.busyUntil = max(self.busyUntil, now) + self.handicap
        self.world.after(self.busyUntil - now) {
            self.handle(partition, epoch, delivery)
            self.flush()
        }
    }

    /// Which handler handles a type of event; the last one where several say that they do.
    private func handler(of type: String) -> Int? {
        let count = type.utf8.count
        for index in self.handlers.indices.reversed()
        // Most differ in their length already.
        where self.handlers[index].type.utf8.count == count && self.handlers[index].type == type {
            return index
        }
        return nil
    }

    private func handle(_ partition: Int, _ epoch: UInt64, _ delivery: Delivery) {
        guard self.asking({ $0.owns(partition, epoch: epoch) }),
            let service = self.state(of: partition)?.service
        else { return }
        let turn = Turn<S>(
            delivery,
            of: partition,
            epoch: epoch,
            service: service,
            at: self.desk
        )
        guard let handler = self.handler(of: delivery.type) else {
            // The topic carries what this service has no handler for.
            return self.over(turn, nil)
        }
        switch self.handlers[handler].handler {
        case .immediate(let body):
            var failure: (any Error)?
            self.current = .passUnretained(turn)
            do {
                try service.confined((body, turn)) { try $1.0($0, $1.1.event.data, $1.1) }
            } catch {
                failure = error
            }
            self.current = nil
            self.over(turn, failure)
        case .suspending(let body):
            let executor = self.world.taskExecutor
            self.suspended[ObjectIdentifier(turn)] = turn
            service.confined(()) { service, _ in
                service.run(body, turn, on: executor) { failure in
                    self.suspended[ObjectIdentifier(turn)] = nil
                    self.over(turn, failure)
                    self.flush()
                }
            }
        }
    }

    /// The handler of a delivery has returned or thrown.
    private func over(_ turn: Turn<S>, _ failure: (any Error)?) {
        let (partition, epoch, delivery) = (turn.partition, turn.epoch, turn.delivery)
        if let failure, turn.phase != .decided, !self.flaws.has(.errorSwallowed) {
            let reason = Self.text(of: failure)
            self.world.log(
                .warning,
                "\(delivery.type) \(delivery.subject), "
                    + "attempt \(delivery.attempt): \(reason)"
            )
            return self.perform(self.client.failed(partition, epoch: epoch, delivery, reason))
        }
        if self.isProjection {
            self.state(of: partition)?.lastFolded = delivery
            self.perform(self.client.folded(partition, epoch: epoch, delivery))
            self.snapshotSoon(partition)
            return
        }
        turn.endUndecided()
        self.perform(self.client.finished(partition, epoch: epoch, delivery))
    }

    private static func text(of failure: any Error) -> String {
        // How any other error describes itself takes long to find out.
        if let failure = failure as? OutsideError { return failure.description }
        return "\(failure)"
    }

    /// A turn has decided and applied its changes: its commit leaves in this order.
    private func decided(_ turn: Turn<S>) {
        let partition = turn.partition
        guard !self.isProjection, let state = self.state(of: partition) else { return }
        let decision = self.desk.decision
        if self.flaws.has(.emitOutsideTurn), decision.emits {
            return self.emitOutsideTurn(turn, decision)
        }
        state.changeBytes += decision.changeBytes
        if self.wantsSnapshot(partition, state) {
            let snapshot = state.service.confined(()) { service, _ in service.snapshot() }
            (state.snapshotBytes, state.changeBytes) = (snapshot.count, 0)
            decision.snapshot = snapshot
        }
        if self.flaws.has(.snapshotOneBehind) {
            let before = state.snapshotBefore
            state.snapshotBefore = state.service.confined(()) { service, _ in service.snapshot() }
            if decision.snapshot != nil, let before { decision.snapshot = before }
        }
        _ = self.client.decided(partition, epoch: turn.epoch, turn.delivery, decision)
        self.watchAnswers()
    }

    /// Whether the turn that has just decided commits a snapshot, too.
    ///
    /// Not before the changes since the last one are as large as it was, so that a service with
    /// much state does not write that again and again; unless the world asks for more of them.
    private func wantsSnapshot(_ partition: Int, _ state: Partition) -> Bool {
        let interval = min(S.snapshotInterval, self.world.snapshotIntervalMax)
        guard interval > 0, self.asking({ $0.commitsSinceSnapshot(partition) }) + 1 >= interval
        else { return false }
        return interval < S.snapshotInterval || state.changeBytes >= state.snapshotBytes
    }

    /// A commit has left: sees to it that somebody asks where it stays unconfirmed.
    private func watchAnswers() {
        guard !self.isWatchingAnswers else { return }
        self.isWatchingAnswers = true
        self.world.after(ServiceClient.answerPatience) {
            self.isWatchingAnswers = false
            if self.client.askAboutUnanswered() { self.watchAnswers() }
            self.flush()
        }
    }

    /// The planted bug: events leave at once, and what they stand for commits a moment later.
    private func emitOutsideTurn(_ turn: Turn<S>, _ decision: TurnDecision) {
        let rest = decision.takeAllButEmitted()
        self.client.emittedOutsideTurn(turn.partition, epoch: turn.epoch, decision)
        self.world.after(.milliseconds(5)) {
            _ = self.client.decided(turn.partition, epoch: turn.epoch, turn.delivery, rest)
            self.flush()
        }
    }

    // MARK: Projections

    private func snapshotSoon(_ partition: Int) {
        let interval = min(max(S.snapshotInterval, 1), self.world.snapshotIntervalMax)
        if self.asking({ $0.foldedCount(partition) }) >= interval {
            return self.takeSnapshot(partition)
        }
        guard let state = self.state(of: partition), !state.isSnapshotArmed else { return }
        state.isSnapshotArmed = true
        self.world.after(Self.quietTime) {
            // The partition may have gone and come back since: its new state is looked at too.
            self.state(of: partition)?.isSnapshotArmed = false
            self.takeSnapshot(partition)
            self.flush()
        }
    }

    private func takeSnapshot(_ partition: Int) {
        guard self.asking({ $0.foldedCount(partition) }) > 0,
            let state = self.state(of: partition), let last = state.lastFolded,
            let published = self.published
        else { return }
        published(state.service, last, self.desk)
        let decision = self.desk.decision
        decision.snapshot = state.service.confined(()) { service, _ in service.snapshot() }
        // The planted bug: the places move on, the figures stay behind.
        if self.flaws.has(.placesWithoutFigures) { decision.snapshot = nil }
        self.perform(self.client.snapshotTaken(partition, decision))
        self.watchAnswers()
    }
}

private typealias Publication<S: Service> = (S, Delivery, TurnDesk<S>) -> Void

extension Service {
    /// Starts a handler that may suspend, on this actor's executor; `done` runs there too.
    ///
    /// What a handler awaits that belongs to no actor, such as a continuation, would otherwise go
    /// on in the global pool: the preference keeps it on the world's executor.
    fileprivate func run(
        _ body: @escaping Subscription<Self>.Suspending,
        _ turn: Turn<Self>,
        on executor: any TaskExecutor,
        _ done: @escaping @Sendable ((any Error)?) -> Void
    ) {
        Task(executorPreference: executor) {
            do {
                try await body(self, turn.delivery.data, turn)
                done(nil)
            } catch {
                done(error)
            }
        }
    }
}

extension Projection {
    /// Returns what a service publishes that is this projection: said once, so that it need not be
    /// found out for each snapshot that it is one.
    fileprivate static func published<S: Service>(by type: S.Type) -> Publication<S> {
        { service, last, desk in
            unsafeDowncast(service as AnyObject, to: Self.self)
                .publish(because: last, at: unsafeDowncast(desk, to: TurnDesk<Self>.self))
        }
    }

    /// Lets the projection decide what it publishes of its state after a delivery.
    ///
    /// Its place makes the ids: an event that comes a second time, from a service that was
    /// rewound, must not lend its id to another report.
    fileprivate nonisolated func publish(because last: Delivery, at desk: TurnDesk<Self>) {
        let turn = Turn<Self>(
            last,
            service: self,
            origin: last.id.derived(by: "\(last.topic)/\(last.offset)", index: 0),
            at: desk
        )
        turn.decide { self.confined(turn) { $0.publish(in: $1) } }
    }
}
