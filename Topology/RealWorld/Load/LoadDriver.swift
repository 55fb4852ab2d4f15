import Chaos
import Events
import Mesh
import MeshSocket

/// Places the orders of a run: takes them when they are due, writes them down, publishes them.
final class LoadDriver {
    private let loop: EventLoop
    private let link: HubLink
    private let name: String
    private var ledger: ShoppersLedgerWriter
    private var window = PublishWindow()
    private var topic: Int?
    private var timer: TimerID?
    private var isRunning = false
    private var reported: UInt64 = 0

    /// Where orders come from.
    private(set) var source: OrderSource
    /// How many orders the hub refused.
    private(set) var refusedCount = 0
    /// The load is over and everything has its answer.
    var onFinished: () -> Void = {}
    /// The ledger cannot be written, or the hub does not let us in.
    var onTrouble: (String) -> Void = { _ in }

    init(loop: EventLoop, path: String, hello: Hello, source: OrderSource, disk: any Disk) {
        self.loop = loop
        self.name = hello.name
        self.source = source
        self.ledger = ShoppersLedgerWriter(disk: disk)
        self.link = HubLink(loop: loop, path: path, hello: hello)
        self.link.onWelcome = { [weak self] in self?.welcomed($0) }
        self.link.onRefused = { [weak self] in self?.onTrouble($0) }
        self.link.onFrame = { [weak self] (kind, reader) throws(WireError) in
            try self?.received(kind, &reader)
        }
    }

    /// How many orders were sent and have no answer yet.
    var unanswered: Int { self.window.count }
    /// How many orders were sent.
    var sent: Int { Int(self.window.lastSequence) }

    /// Connects; places nothing yet.
    func connect() { self.link.start() }

    /// Starts to place orders.
    func start() {
        self.isRunning = true
        self.place()
    }

    /// Places no more orders.
    func stop() {
        guard self.isRunning else { return }
        self.source.stop(now: self.loop.now())
        self.isRunning = false
        self.arm()
        self.flush()
    }

    /// Ends the connection and makes the ledger durable.
    func close() {
        self.link.stop()
        if let timer = self.timer { self.loop.cancel(timer) }
        self.timer = nil
        do { try self.ledger.sync() } catch { self.onTrouble(error.message) }
    }

    /// Changes where orders come from, and notices at once.
    func change<E: Error>(_ body: (inout OrderSource) throws(E) -> Void) throws(E) {
        try body(&self.source)
        if self.isRunning { self.place() }
    }

    private func place() {
        guard self.isRunning else { return }
        let orders = self.source.due(now: self.loop.now(), unacknowledged: self.window.count)
        if !orders.isEmpty, let topic = self.topic {
            var frames: [UInt8] = []
            for order in orders {
                self.ledger.sent(order)
                frames += self.window.add(self.envelope(order), topic: topic)
            }
            self.flush()
            self.link.send(frames)
        }
        if self.source.isFinished, self.window.count == 0 {
            self.isRunning = false
            self.onFinished()
        }
        self.arm()
    }

    /// Wakes up when the next order is due; where the window is full, the next answer does that.
    private func arm() {
        if let timer = self.timer { self.loop.cancel(timer) }
        self.timer = nil
        guard self.isRunning, let next = self.source.nextDue else { return }
        if case .history(let player) = self.source, player.speed == .max { return }
        self.timer = self.loop.timer(at: next) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.place()
        }
    }

    private func envelope(_ planned: PlannedOrder) -> EventEnvelope {
        let id = EventID(
            high: StableHash.of(self.name),
            low: StableHash.of(planned.order.order.rawValue)
        )
        return EventEnvelope(
            id: id,
            source: self.name,
            type: OrderPlaced.type,
            subject: planned.order.subject,
            time: planned.intended,
            trace: TraceContext(startedBy: id),
            causation: .none,
            correlation: planned.order.order.rawValue,
            data: planned.order.encoded()
        )
    }

    private func welcomed(_ welcome: Welcome) {
        self.topic = welcome.topics.firstIndex { $0.name == OrderPlaced.topic }
        guard self.topic != nil else {
            self.onTrouble("the topology has no topic '\(OrderPlaced.topic)' for the shoppers")
            return
        }
        self.accepted(upTo: welcome.publishedUpTo)
        self.link.send(self.window.unanswered())
        if self.isRunning { self.place() }
    }

    private func received(
        _ kind: Frame.FromHub,
        _ reader: inout WireReader
    ) throws(WireError) {
        switch kind {
        case .published:
            self.accepted(upTo: try reader.varint())
        case .publishRefused:
            let sequence = try reader.varint()
            _ = try reader.u8()
            self.ledger.refused(sequence: sequence, reason: try reader.text())
            self.window.refused(sequence)
            self.refusedCount += 1
            self.flush()
        default:
            return
        }
    }

    private func accepted(upTo sequence: UInt64) {
        guard self.window.accepted(upTo: sequence) else { return }
        self.noteSoon()
    }

    /// Many answers come at once: they are one line in the ledger and one look for more orders.
    private func noteSoon() {
        guard self.reported == 0 else { return }
        self.reported = self.window.acceptedUpTo
        self.loop.soon { [weak self] in
            guard let self else { return }
            self.reported = 0
            self.ledger.accepted(upTo: self.window.acceptedUpTo)
            self.flush()
            if self.isRunning { self.place() }
        }
    }

    private func flush() {
        do { try self.ledger.flush() } catch { self.onTrouble(error.message) }
    }
}
