import Chaos
import Events
import Mesh

/// The shoppers in the simulated world: they place orders and write down what became of them.
final class SimulatedShoppers {
    private let simulation: Simulation
    private let publisher: SimulatedPublisher
    /// In whose name they act.
    private let process: Int
    private var shoppers: Shoppers
    private var ledger: ShoppersLedgerWriter
    /// For when the next orders are awaited.
    private var dueNext: Instant?
    /// How many orders were placed.
    private(set) var sentCount = 0

    init(
        publisher: SimulatedPublisher,
        simulation: Simulation,
        plan: LoadPlan,
        seed: UInt64,
        ledgerDisk: MemoryDisk
    ) {
        self.simulation = simulation
        self.publisher = publisher
        self.process = simulation.process(publisher.name)
        self.shoppers = Shoppers(load: plan, seed: seed, start: simulation.now)
        self.ledger = ShoppersLedgerWriter(disk: ledgerDisk)
        publisher.onAction = { [unowned self] in self.heard($0) }
    }

    /// Whether every order is placed and has its answer.
    var isFinished: Bool { self.shoppers.isFinished && self.publisher.unconfirmedCount == 0 }

    /// Begins to place orders.
    func start() { self.cameDue() }

    func syncLedger() throws(DiskError) { try self.ledger.sync() }

    private func heard(_ action: PublisherClient.Action) {
        switch action {
        case .accepted(let sequence): self.ledger.accepted(upTo: sequence)
        case .refused(let sequence, let refusal):
            self.ledger.refused(sequence: sequence, reason: refusal.description)
        case .shutOut: break
        }
    }

    // MARK: Faults

    /// Places so many times as many orders for a while.
    func spike(times: Int, for length: Duration) {
        self.shoppers.spike(times: times, for: length, now: self.simulation.now)
        self.cameDue()
    }

    private func cameDue() {
        for planned in self.shoppers.due(now: self.simulation.now) {
            let order = planned.envelope(source: self.publisher.name)
            self.ledger.sent(planned, as: self.publisher.publish(order, to: OrderPlaced.topic))
            self.sentCount += 1
        }
        self.publisher.send()
        guard let due = self.shoppers.nextDue, due != self.dueNext else { return }
        self.dueNext = due
        self.simulation.at(due, by: self.process) { [unowned self] in
            guard self.dueNext == due else { return }
            self.dueNext = nil
            self.cameDue()
        }
    }
}
