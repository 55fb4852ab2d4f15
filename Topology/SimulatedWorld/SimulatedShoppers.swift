import Chaos
import Events
import Mesh

/// The shoppers in the simulated world: they place orders and write down what became of them.
final class SimulatedShoppers {
    private let simulation: Simulation
    private let hub: SimulatedHub
    private var shoppers: Shoppers
    private var publisher: PublisherClient
    private var link: SimulatedLink?
    private var ledger: ShoppersLedgerWriter
    private var answerWatch = AnswerWatch()
    private var answeredCount = 0
    private var poisonCount = 0
    /// For when the next orders are awaited.
    private var dueNext: Instant?
    /// How many orders were placed.
    private(set) var sentCount = 0

    init(
        simulation: Simulation,
        hub: SimulatedHub,
        plan: LoadPlan,
        seed: UInt64,
        ledgerDisk: MemoryDisk
    ) {
        self.simulation = simulation
        self.hub = hub
        self.shoppers = Shoppers(load: plan, seed: seed, start: simulation.now)
        self.publisher = PublisherClient(
            hello: Hello(
                role: .publisher,
                name: "shoppers",
                instance: "shoppers",
                token: "token"
            )
        )
        self.ledger = ShoppersLedgerWriter(disk: ledgerDisk)
    }

    /// Whether every order is placed and has its answer.
    var isFinished: Bool { self.shoppers.isFinished && self.publisher.unconfirmedCount == 0 }

    func start() {
        self.connect()
        self.cameDue()
    }

    func syncLedger() throws(DiskError) { try self.ledger.sync() }

    private func connect() {
        let link = SimulatedLink(simulation: self.simulation, hub: self.hub, name: "shoppers")
        guard link.connect() else {
            return self.simulation.after(.milliseconds(10)) { [weak self] in self?.connect() }
        }
        self.link = link
        link.onFrame = { [weak self] in self?.received($0) }
        link.onClose = { [weak self] in
            self?.publisher.disconnected()
            self?.connect()
        }
        self.publisher.connected()
        self.send()
    }

    // MARK: Faults

    /// Places so many times as many orders for a while.
    func spike(times: Int, for length: Duration) {
        self.shoppers.spike(times: times, for: length, now: self.simulation.now)
        self.cameDue()
    }

    /// Publishes an event that nobody can read.
    func publishPoison(type: String, to topic: String) {
        self.poisonCount += 1
        let event = PoisonEvent.envelope(
            type: type,
            number: self.poisonCount,
            source: "shoppers",
            time: self.simulation.now
        )
        _ = self.publisher.publish(event, to: topic)
        self.send()
    }

    // MARK: Orders and answers

    private func received(_ frame: UnsafeRawBufferPointer) {
        for action in (try? self.publisher.received(frame)) ?? [] {
            switch action {
            case .accepted(let sequence):
                self.answeredCount += 1
                self.ledger.accepted(upTo: sequence)
            case .refused(let sequence, let refusal):
                self.answeredCount += 1
                self.ledger.refused(sequence: sequence, reason: refusal.description)
            case .shutOut: break
            }
        }
        self.send()
    }

    private func cameDue() {
        for planned in self.shoppers.due(now: self.simulation.now) {
            self.sentCount += 1
            let sequence = self.publisher.publish(
                planned.envelope(source: "shoppers"),
                to: OrderPlaced.topic
            )
            self.ledger.sent(planned, as: sequence)
        }
        self.send()
        let due = self.shoppers.nextDue
        guard let due, due != self.dueNext else { return }
        self.dueNext = due
        self.simulation.at(due) { [weak self] in
            guard let self, self.dueNext == due else { return }
            self.dueNext = nil
            self.cameDue()
        }
    }

    private func send() {
        let frames = self.publisher.takeOutput()
        if !frames.isEmpty { self.link?.sendToHub(frames) }
        let wait = self.answerWatch.sent(
            answered: self.answeredCount,
            open: self.publisher.unconfirmedCount
        )
        guard let wait else { return }
        self.simulation.after(wait) { [weak self] in
            guard let self else { return }
            let isLost = self.answerWatch.cameDue(
                answered: self.answeredCount,
                open: self.publisher.unconfirmedCount,
                isConnected: self.publisher.isConnected
            )
            if isLost { self.publisher.sendAgain() }
            self.send()
        }
    }
}
