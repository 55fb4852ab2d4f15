import Chaos
import Events
import Mesh
import MeshSocket

/// Places the orders of a run: takes them when they are due, writes them down, publishes them.
final class LoadDriver {
    private let loop: EventLoop
    private let link: SocketLink
    private let name: String
    private var client: PublisherClient
    private var ledger: ShoppersLedgerWriter
    private var timer: TimerID?
    private var isRunning = false
    private var isNoting = false
    private var acceptedUpTo: UInt64 = 0
    private var answerWatch = AnswerWatch()
    private var answerTimer: TimerID?
    private var retry: TimerID?
    /// Whether the hub refuses everything because its disk is full.
    private var isHubFull = false
    /// What was told last of the ledger's disk.
    private var wasFull = false

    /// Where orders come from; nil until it is started.
    private(set) var source: OrderSource?
    /// How many orders were sent.
    private(set) var sentCount = 0
    /// How many orders the hub refused.
    private(set) var refusedCount = 0
    private var poisonCount = 0
    /// The numbers of the poison events.
    private var poisons: Set<UInt64> = []
    /// The load is over and everything has its answer.
    var onFinished: () -> Void = {}
    /// The ledger cannot be written, or the hub does not let us in.
    var onTrouble: (String) -> Void = { _ in }
    /// The ledger's disk became full, or has room again.
    var onDisk: (_ isFull: Bool) -> Void = { _ in }

    /// How many orders may wait for an answer; what is due beyond that is refused, so that a hub
    /// which is cut off costs bounded memory.
    static let unansweredMax = 8192
    /// How often a full disk is tried again.
    private static let retryInterval = Duration.milliseconds(250)

    init(loop: EventLoop, path: String, hello: Hello, disk: any Disk) {
        self.loop = loop
        self.name = hello.name
        self.client = PublisherClient(hello: hello)
        self.ledger = ShoppersLedgerWriter(disk: disk)
        self.link = SocketLink(loop: loop, path: path)
        self.link.onConnected = { [weak self] in
            self?.client.connected()
            self?.send()
        }
        self.link.onFrame = { [weak self] (frame) throws(WireError) in
            guard let self else { return }
            for action in try self.client.received(frame) { self.carryOut(action) }
            self.send()
        }
        self.link.onLost = { [weak self] in self?.client.disconnected() }
        self.link.onTrouble = { [weak self] in self?.onTrouble($0) }
    }

    /// How many orders were sent and have no answer yet.
    var unansweredCount: Int { self.client.unconfirmedCount }

    /// Connects; places nothing yet.
    func connect() { self.link.start() }

    /// Starts to place orders.
    func start(_ source: OrderSource) {
        self.source = source
        self.isRunning = true
        self.place()
    }

    /// Places no more orders; what was sent still gets its answers.
    func stop() {
        guard self.isRunning else { return }
        self.source?.stop(now: self.loop.now())
        self.isRunning = false
        self.arm()
    }

    /// Ends the connection and makes the ledger durable.
    func close() {
        self.isRunning = false
        self.arm()
        if let timer = self.answerTimer { self.loop.cancel(timer) }
        self.answerTimer = nil
        if let retry = self.retry { self.loop.cancel(retry) }
        self.link.stop()
        do { try self.ledger.sync() } catch { self.onTrouble(error.message) }
    }

    /// Publishes an event of that type whose data no service can read.
    func poison(_ type: String, to topic: String) {
        self.poisonCount += 1
        let event = PoisonEvent.envelope(
            type: type,
            number: self.poisonCount,
            source: self.name,
            time: self.loop.now()
        )
        self.poisons.insert(self.client.publish(event, to: topic))
        self.send()
    }

    /// Changes where orders come from, and takes notice at once.
    func change(_ body: (inout OrderSource) throws(ControlError) -> Void) throws(ControlError) {
        guard var source = self.source else { return }
        try body(&source)
        self.source = source
        if self.isRunning { self.place() }
    }

    /// Tells whether the hub's disk is full: a history at full speed waits for room.
    func hubIs(full: Bool) {
        guard full != self.isHubFull else { return }
        self.isHubFull = full
        if !full, self.isRunning { self.place() }
    }

    private func place() {
        guard self.isRunning, !self.waitsForRoom, var source = self.source else { return }
        // Moved out for the call, so that a history is not copied.
        self.source = nil
        let orders = source.due(now: self.loop.now(), unacknowledged: self.unansweredCount)
        let isFinished = source.isFinished
        self.source = source
        if !orders.isEmpty {
            self.publish(orders)
            self.send()
        }
        if isFinished, self.unansweredCount == 0 {
            self.isRunning = false
            self.onFinished()
        }
        self.arm()
    }

    /// Whether orders must wait: only a history at full speed has the time.
    private var waitsForRoom: Bool {
        guard self.source?.isAtFullSpeed == true else { return false }
        if self.isHubFull { return true }
        let hasRoom = self.ledger.hasRoom(for: [], now: self.loop.now())
        self.noteDisk()
        if !hasRoom { self.retryLater() }
        return !hasRoom
    }

    /// Publishes orders once they can be written down; else they are refused here.
    private func publish(_ orders: [PlannedOrder]) {
        let (orders, refused) = self.split(orders)
        self.refusedCount += refused
        self.ledger.turnedAway(refused)
        let hasRoom = self.ledger.hasRoom(for: orders, now: self.loop.now())
        self.noteDisk()
        guard hasRoom else {
            self.refusedCount += orders.count
            self.ledger.turnedAway(orders.count)
            return self.retryLater()
        }
        for order in orders {
            let sequence = self.client.publish(
                order.envelope(source: self.name),
                to: OrderPlaced.topic
            )
            self.ledger.sent(order, as: sequence)
        }
        self.sentCount += orders.count
    }

    /// Returns as many of the orders as may wait for an answer, and how many are left.
    private func split(_ orders: [PlannedOrder]) -> (taken: [PlannedOrder], refused: Int) {
        let count = max(0, Self.unansweredMax - self.unansweredCount)
        guard orders.count > count else { return (orders, 0) }
        return (Array(orders.prefix(count)), orders.count - count)
    }

    private func noteDisk() {
        guard self.ledger.isFull != self.wasFull else { return }
        self.wasFull = self.ledger.isFull
        self.onDisk(self.wasFull)
    }

    /// Looks for room again after a while, also where no order is due.
    private func retryLater() {
        guard self.retry == nil else { return }
        self.retry = self.loop.timer(at: self.loop.now() + Self.retryInterval) { [weak self] in
            guard let self else { return }
            self.retry = nil
            let hasRoom = self.ledger.hasRoom(for: [], now: self.loop.now())
            self.noteDisk()
            if !hasRoom || self.ledger.isFull { self.retryLater() }
            self.send()
            self.place()
        }
    }

    /// Wakes up when the next order is due; at full speed the next answer does that.
    private func arm() {
        if let timer = self.timer { self.loop.cancel(timer) }
        self.timer = nil
        guard self.isRunning, let next = self.source?.nextDue else { return }
        if self.source?.isAtFullSpeed == true { return }
        self.timer = self.loop.timer(at: next) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.place()
        }
    }

    private func carryOut(_ action: PublisherClient.Action) {
        switch action {
        case .accepted(let sequence):
            self.acceptedUpTo = max(self.acceptedUpTo, sequence)
            self.noteSoon()
        case .refused(let sequence, let refusal):
            self.refusedCount += 1
            // The ledger knows of orders only.
            if self.poisons.remove(sequence) == nil {
                self.ledger.refused(sequence: sequence, reason: refusal.message)
            }
            self.noteSoon()
        case .shutOut(let refusal):
            self.onTrouble(refusal.message)
        }
    }

    /// Many answers come at once: they are one line in the ledger and one look for more orders.
    private func noteSoon() {
        guard !self.isNoting else { return }
        self.isNoting = true
        self.loop.soon { [weak self] in
            guard let self else { return }
            self.isNoting = false
            self.ledger.accepted(upTo: self.acceptedUpTo)
            self.flushLedger()
            if self.isRunning { self.place() }
        }
    }

    /// Sends what is in the ledger, and nothing before it is there.
    private func send() {
        guard self.flushLedger() else { return }
        self.client.sendOutput { self.link.send($0) }
        self.watchAnswers()
    }

    /// How many answers came so far.
    private var answeredCount: Int { Int(self.acceptedUpTo) + self.refusedCount }

    private func watchAnswers() {
        let wait = self.answerWatch.sent(answered: self.answeredCount, open: self.unansweredCount)
        guard let wait else { return }
        self.answerTimer = self.loop.timer(at: self.loop.now() + wait) { [weak self] in
            guard let self else { return }
            self.answerTimer = nil
            let isLost = self.answerWatch.cameDue(
                answered: self.answeredCount,
                open: self.unansweredCount,
                isConnected: self.client.isConnected
            )
            if isLost { self.client.sendAgain() }
            self.send()
        }
    }

    @discardableResult
    private func flushLedger() -> Bool {
        do {
            try self.ledger.flush()
            return true
        } catch {
            if error.code != .full { self.onTrouble(error.message) }
            self.retryLater()
            return false
        }
    }
}
