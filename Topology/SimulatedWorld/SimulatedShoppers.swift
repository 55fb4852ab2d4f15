import Chaos
import Events
import Mesh

/// The shoppers in the simulated world: they place orders and write down what became of them.
final class SimulatedShoppers {
    private let simulation: Simulation
    private let hub: SimulatedHub
    /// In whose name they act.
    private let process: Int
    private var shoppers: Shoppers
    private var publisher: PublisherClient
    private var link: SimulatedLink?
    private var ledger: ShoppersLedgerWriter

    init(
        simulation: Simulation,
        hub: SimulatedHub,
        plan: LoadPlan,
        seed: UInt64,
        ledgerDisk: MemoryDisk
    ) {
        self.simulation = simulation
        self.hub = hub
        self.process = simulation.process("shoppers")
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
            return self.simulation.after(.milliseconds(10), by: self.process) { [unowned self] in
                self.connect()
            }
        }
        self.link = link
        link.onFrame = { [unowned self] in self.received($0) }
        link.onClose = { [unowned self] in
            self.publisher.disconnected()
            self.connect()
        }
        self.publisher.connected()
        self.send()
    }

    private func received(_ frame: UnsafeRawBufferPointer) {
        for action in (try? self.publisher.received(frame)) ?? [] {
            switch action {
            case .accepted(let sequence): self.ledger.accepted(upTo: sequence)
            case .refused(let sequence, let refusal):
                self.ledger.refused(sequence: sequence, reason: refusal.description)
            case .shutOut: break
            }
        }
        self.send()
    }

    private func cameDue() {
        for planned in self.shoppers.due(now: self.simulation.now) {
            self.ledger.sent(planned)
            _ = self.publisher.publish(planned.envelope(source: "shoppers"), to: OrderPlaced.topic)
        }
        self.send()
        guard let due = self.shoppers.nextDue else { return }
        self.simulation.at(due, by: self.process) { [unowned self] in self.cameDue() }
    }

    private func send() {
        let frames = self.publisher.takeOutput()
        if !frames.isEmpty { self.link?.sendToHub(frames) }
    }
}
