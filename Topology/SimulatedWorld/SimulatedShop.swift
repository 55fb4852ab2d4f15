import AnalyticsService
import Chaos
import Events
import InventoryService
import Mesh
import NotificationsService
import OrdersService
import OutsideParties
import PaymentsService
import ServiceKit
import TopologyFile

/// The whole shop under one seed: hub, services, outside parties and shoppers, all the real code.
///
/// No process, socket, file, thread or clock is touched. Two runs with the same topology, seed and
/// faults are equal to the last byte.
package final class SimulatedShop {
    package let simulation: Simulation
    package let topology: Topology
    let flaws: Flaws
    let hub: SimulatedHub
    var processes: [String: any SimulatedProcess] = [:]
    private var parties: [String: any SimulatedPartyProcess] = [:]
    /// What commands the hub, once a service is changed.
    var admin: SimulatedAdmin?
    /// The changes of instances under way, by service.
    var changes: [String: InstanceChange] = [:]
    /// How many changes came to their end.
    package internal(set) var changesDone = 0
    /// What was missing in those that took too long.
    package internal(set) var changesFailed: [String] = []
    private let ledgerDisk = MemoryDisk()
    private var shoppers: Shoppers
    private var publisher: PublisherClient
    private var publisherLink: SimulatedLink?
    private var ledger: ShoppersLedgerWriter
    private var orderCount: UInt64 = 0
    private let judge: Judge
    private var fold: RunFold
    private var follower = LogFollower()
    private let ordersMax: Int
    /// Called for each line that a service logs; nil drops them.
    package var onLog: ((LogLevel, String) -> Void)?

    /// Creates a shop with a load of `orders` orders; nothing runs before ``start()``.
    package init(topology: Topology, orders: Int, seed: UInt64, flaws: Flaws = Flaws()) {
        self.topology = topology
        self.flaws = flaws
        self.ordersMax = orders
        let simulation = Simulation(seed: seed)
        self.simulation = simulation
        let layout = topology.layout
        var tokens = ["shoppers/shoppers": "token", "squall/admin": "token"]
        for service in layout.services {
            for instance in 1...max(service.instances, service.partitions) {
                tokens["\(service.name)/\(service.name)-\(instance)"] = "token"
            }
        }
        self.hub = SimulatedHub(
            simulation: simulation,
            disk: MemoryDisk(),
            configuration: Hub.Configuration(
                layout: layout,
                tokens: tokens,
                uid: 0,
                flaws: flaws.names
            )
        )
        var plan = LoadPlan(topology: topology)
        plan.ordersMax = orders
        self.shoppers = Shoppers(load: plan, seed: seed, start: simulation.now)
        self.publisher = PublisherClient(
            hello: Hello(
                role: .publisher,
                name: "shoppers",
                instance: "shoppers",
                token: "token"
            )
        )
        self.ledger = ShoppersLedgerWriter(disk: self.ledgerDisk)
        self.judge = Judge(layout: layout)
        self.fold = RunFold(layout: layout)
        self.addServices()
        self.addParties()
    }

    private func addServices() {
        for service in self.topology.layout.services {
            for number in 1...service.instances {
                self.add("\(service.name)-\(number)", of: service.name)
            }
        }
    }

    private func add(_ instance: String, of service: String) {
        switch service {
        case Orders.name: self.add(Orders.self, instance)
        case Inventory.name: self.add(Inventory.self, instance)
        case Payments.name: self.add(Payments.self, instance)
        case Notifications.name: self.add(Notifications.self, instance)
        case Analytics.name: self.add(Analytics.self, instance)
        default: preconditionFailure("the shop has no service '\(service)'")
        }
    }

    /// Starts one more instance of a service.
    func launch(_ instance: String, of service: String) {
        self.add(instance, of: service)
        self.processes[instance]?.start()
    }

    private func add<S: Service>(_ service: S.Type, _ instance: String) {
        let process = SimulatedService<S>(shop: self, instance: instance, token: "token")
        self.processes[instance] = process
    }

    private func addParties() {
        for party in self.topology.outside {
            var settings = Settings(party.settings)
            switch party.kind {
            case .bank:
                self.add(party.name, BankMachine(settings: &settings))
            case .mail:
                self.add(party.name, MailRelayMachine())
            case .shoppers:
                break
            }
        }
    }

    private func add<Machine: PartyMachine>(_ name: String, _ machine: Machine) {
        let party = SimulatedParty(
            name: name,
            machine: machine,
            disk: self.ledgerDisk,
            simulation: self.simulation
        )
        self.parties[name] = party
        self.processes[name] = party
    }

    // MARK: Running

    /// Starts every process; the shoppers begin at once.
    package func start() {
        self.hub.start()
        for name in self.processes.keys.sorted() { self.processes[name]?.start() }
        self.connectShoppers()
        self.shopperCameDue()
    }

    /// Runs until every order has ended and everything is handled, or `limit` is over.
    ///
    /// - Returns: whether it came to rest.
    @discardableResult
    package func runToRest(within limit: Duration = .seconds(600)) throws(LogError) -> Bool {
        let end = self.simulation.now + limit
        while self.simulation.now < end {
            self.simulation.run(within: .milliseconds(100)) { false }
            try self.follow()
            if self.isAtRest { return true }
        }
        return false
    }

    private var isAtRest: Bool {
        self.shoppers.isFinished && self.publisher.unconfirmedCount == 0
            && self.fold.orders.inProgress == 0 && self.fold.lag == 0
    }

    private func follow() throws(LogError) {
        while true {
            let records = try self.follower.next(from: self.hub.disk)
            if records.isEmpty { return }
            for record in records {
                self.judge.observe(record)
                self.fold.observed(record)
            }
        }
    }

    /// Judges the run as it is now.
    package func verdict() throws -> Verdict {
        try self.follow()
        try self.ledger.sync()
        return self.judge.finish(ledgers: try Ledgers(reading: self.ledgerDisk))
    }

    /// The hash of everything that happened, down to the bytes of the log.
    package var runHash: UInt64 {
        var hash = self.simulation.hash
        for disk in [self.hub.disk, self.ledgerDisk] {
            for file in disk.list() {
                let bytes = (try? disk.read(file, at: 0, count: disk.size(of: file))) ?? []
                hash = bytes.withUnsafeBytes { StableHash.of($0, seed: hash) }
            }
        }
        return hash
    }

    /// The log's disk, for looking at it or harming it.
    package var disk: MemoryDisk { self.hub.disk }

    /// What the hub refused.
    package var audit: [JSONValue] { self.hub.audit }

    /// What made the hub's log unusable, where anything did.
    package var hubFailure: LogError? { self.hub.failure }

    // MARK: Faults

    /// Kills a process (`hub`, `payments-1`, `bank`) and starts it again after `pause`.
    package func kill(_ name: String, restartAfter pause: Duration) {
        if name == "hub" {
            self.hub.kill()
            return self.simulation.after(pause) { [hub] in if hub.hub == nil { hub.start() } }
        }
        guard let process = self.processes[name] else { return }
        process.kill()
        self.simulation.after(pause) { [weak self] in
            // One that is not wanted any more is not started again.
            if self?.processes[name] === process { process.start() }
        }
    }

    /// Lets a service's process stand still for a while, as SIGSTOP does.
    package func pause(_ name: String, for duration: Duration) {
        guard let process = self.processes[name] else { return }
        process.pause()
        self.simulation.after(duration) { process.resume() }
    }

    /// Does `action` at that time after the start.
    package func at(_ time: Duration, _ action: @escaping () -> Void) {
        self.simulation.after(time, action)
    }

    /// Makes an outside party misbehave.
    package func arm(_ party: String, _ fault: PartyFaults.Armed) {
        self.parties[party]?.arm(fault)
    }

    /// The names of everything that can be killed, the hub first.
    package var processNames: [String] { ["hub"] + self.processes.keys.sorted() }

    // MARK: Between the processes

    func ask(
        _ party: String,
        _ request: [UInt8],
        _ answer: @escaping (Result<[UInt8], any Error>) -> Void
    ) {
        guard let process = self.parties[party] else {
            let error = OutsideError(.unreachable, "the topology names no '\(party)'")
            return answer(.failure(error))
        }
        process.ask(request, answer)
    }

    func logged(_ level: LogLevel, _ line: String) { self.onLog?(level, line) }

    // MARK: Shoppers

    private func connectShoppers() {
        let link = SimulatedLink(simulation: self.simulation, hub: self.hub, name: "shoppers")
        guard link.connect() else {
            return self.simulation.after(.milliseconds(10)) { [weak self] in
                self?.connectShoppers()
            }
        }
        self.publisherLink = link
        link.onFrame = { [weak self] in self?.shoppersReceived($0) }
        link.onClose = { [weak self] in
            self?.publisher.disconnected()
            self?.connectShoppers()
        }
        self.publisher.connected()
        self.sendOrders()
    }

    private func shoppersReceived(_ frame: UnsafeRawBufferPointer) {
        for action in (try? self.publisher.received(frame)) ?? [] {
            switch action {
            case .accepted(let sequence): self.ledger.accepted(upTo: sequence)
            case .refused(let sequence, let refusal):
                self.ledger.refused(sequence: sequence, reason: refusal.description)
            case .shutOut(let refusal): self.logged(.error, "shoppers: \(refusal)")
            }
        }
        self.sendOrders()
    }

    private func shopperCameDue() {
        for planned in self.shoppers.due(now: self.simulation.now) {
            self.ledger.sent(planned)
            _ = self.publisher.publish(planned.envelope(source: "shoppers"), to: OrderPlaced.topic)
        }
        self.sendOrders()
        guard let due = self.shoppers.nextDue else { return }
        self.simulation.at(due) { [weak self] in self?.shopperCameDue() }
    }

    private func sendOrders() {
        let frames = self.publisher.takeOutput()
        if !frames.isEmpty { self.publisherLink?.sendToHub(frames) }
    }
}
