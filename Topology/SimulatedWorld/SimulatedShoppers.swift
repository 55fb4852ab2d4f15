import Chaos
import Events
import Mesh

/// The shoppers in the simulated world: they place orders and write down what became of them.
final class SimulatedShoppers {
    private let simulation: Simulation
    private let publisher: SimulatedPublisher
    private var shoppers: Shoppers
    private var ledger: ShoppersLedgerWriter

    init(
        publisher: SimulatedPublisher,
        simulation: Simulation,
        plan: LoadPlan,
        seed: UInt64,
        ledgerDisk: MemoryDisk
    ) {
        self.simulation = simulation
        self.publisher = publisher
        self.shoppers = Shoppers(load: plan, seed: seed, start: simulation.now)
        self.ledger = ShoppersLedgerWriter(disk: ledgerDisk)
        publisher.onAction = { [weak self] in self?.heard($0) }
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

    private func cameDue() {
        for planned in self.shoppers.due(now: self.simulation.now) {
            let order = planned.envelope(source: self.publisher.name)
            self.ledger.sent(planned, as: self.publisher.publish(order, to: OrderPlaced.topic))
        }
        self.publisher.send()
        guard let due = self.shoppers.nextDue else { return }
        self.simulation.at(due) { [weak self] in self?.cameDue() }
    }
}
