import Chaos
import Events
import Mesh
import OutsideParties
import ServiceKit
import TopologyFile

/// The whole shop under one seed: hub, services, outside parties and shoppers, all the real code.
///
/// No process, socket, file, thread or clock is touched. Two runs with the same topology, seed and
/// faults are equal to the last byte.
package final class SimulatedShop {
    package let simulation: Simulation
    package let topology: Topology
    let layout: MeshLayout
    let flaws: Flaws
    /// Makes a judge that has seen nothing yet.
    private let newJudge: () -> Judge
    private let services: ServiceCatalogue
    /// The service of the topology that cannot be started, where there is one.
    package let missing: ServiceMissing?
    let hub: SimulatedHub
    /// What commands the hub while a service is changed.
    var instanceAdmin: SimulatedAdmin?
    /// The changes of instances under way, by service.
    var changes: [String: InstanceChange] = [:]
    /// How many changes came to their end.
    package internal(set) var changesDone = 0
    /// What was missing in those that took too long.
    package internal(set) var changesFailed: [String] = []
    /// A snapshot is taken after at most this many commits.
    var snapshotIntervalMax = Int.max
    var processes: [String: any SimulatedProcess] = [:]
    private(set) var parties: [String: any SimulatedPartyProcess] = [:]
    let launcher: SimulatedLauncher
    /// Where the outside parties keep their ledgers.
    package let ledgerDisk = MemoryDisk()
    /// Who places orders; nil where nobody can.
    let shoppers: SimulatedShoppers?
    /// The outside parties that publish.
    let publishers: [SimulatedPublisher]
    /// How many publications are not yet due.
    private var publicationsAhead = 0
    let admin: SimulatedAdmin
    private(set) var judge: Judge
    private(set) var fold: RunFold
    private var follower = LogFollower()
    /// How often the log has become shorter than what was read of it.
    private var lossCount = 0
    private var reader = RecordReader()
    private var record = RecordView()
    /// Called for each line that a service logs; nil drops them.
    package var onLog: ((LogLevel, String) -> Void)?
    /// Called when a change of a service's instances is over; says whether it came to its end.
    var onChanged: (_ service: String, _ isDone: Bool) -> Void = { _, _ in }
    /// Called for each event that has become durable, with its type and source.
    var onEvent: ((_ type: String, _ source: String) -> Void)?
    /// Why the log can't be read, where it can't.
    private(set) var logProblem: LogError?

    /// About how many steps a run takes.
    private static let stepsOfStart = 500
    private static let stepsOfOrder = 60
    /// What everyone here shows to the hub.
    static let token = "token"

    /// Creates a shop with a load of `orders` orders; nothing runs before ``start()``.
    ///
    /// A service that `services` does not have is not started: see ``missing``. Call ``end()`` when
    /// done with the shop.
    package init(
        topology: Topology,
        orders: Int,
        seed: UInt64,
        flaws: Flaws = Flaws(),
        strategy: Scenario.Strategy = .random,
        exceptions: Set<String> = [],
        services: ServiceCatalogue = .linked,
        invariants: [@Sendable (MeshLayout) -> any Invariant] = []
    ) {
        self.topology = topology
        self.services = services
        self.missing = services.missing(in: topology)
        self.flaws = flaws
        let simulation = Simulation(
            seed: seed,
            strategy: strategy,
            steps: Self.stepsOfStart + orders * Self.stepsOfOrder
        )
        self.simulation = simulation
        let layout = topology.layout
        self.layout = layout
        let hub = SimulatedHub(
            simulation: simulation,
            disk: MemoryDisk(),
            configuration: Hub.Configuration(
                layout: layout,
                tokens: Self.tokens(layout),
                uid: 0,
                flaws: flaws.names
            )
        )
        for link in topology.links {
            hub.standing += link.faults.map { ($0, link.from, link.to) }
        }
        self.hub = hub
        self.launcher = SimulatedLauncher(simulation: simulation)
        self.admin = SimulatedAdmin(simulation: simulation, hub: hub)
        var plan = LoadPlan(topology: topology)
        plan.ordersMax = orders
        self.publishers = layout.publishers.map {
            SimulatedPublisher(name: $0.name, simulation: simulation, hub: hub)
        }
        let customers = layout.publishers.firstIndex { $0.emits.contains(OrderPlaced.topic) }
        self.shoppers = customers.map { [publishers, ledgerDisk] in
            SimulatedShoppers(
                publisher: publishers[$0],
                simulation: simulation,
                plan: plan,
                seed: seed,
                ledgerDisk: ledgerDisk
            )
        }
        self.newJudge = {
            Judge(layout: layout, except: exceptions, adding: invariants.map { $0(layout) })
        }
        self.judge = self.newJudge()
        self.fold = RunFold(layout: layout, measuresTimes: false)
        self.launcher.add(hub, ProcessPlan(name: hub.name, stage: 0))
        self.addServices()
        self.addParties()
        self.launcher.onReport = { [unowned self] in self.reported($0) }
        hub.onFlush = { [unowned self] in self.follow() }
        hub.onLoss = { [unowned self] in self.followAnew() }
    }

    private func addServices() {
        for service in self.layout.services {
            for number in 1...service.instances {
                self.add("\(service.name)-\(number)", of: service.name)
            }
        }
    }

    private static func tokens(_ layout: MeshLayout) -> [String: String] {
        var names = layout.publishers.map { "\($0.name)/\($0.name)" } + ["squall/squall"]
        for service in layout.services {
            for instance in 1...max(service.instances, service.partitions) {
                names.append("\(service.name)/\(service.name)-\(instance)")
            }
        }
        return Dictionary(names.map { ($0, Self.token) }) { first, _ in first }
    }

    private func add(_ instance: String, of service: String) {
        guard let entry = self.services[service] else { return }
        let process = SimulatedService(entry, shop: self, instance: instance)
        self.processes[instance] = process
        let restart = self.topology.service(service)?.restart ?? Topology.Restart()
        self.launcher.add(
            process,
            ProcessPlan(name: instance, stage: 2, restart: RestartPolicy(restart))
        )
    }

    /// Adds an instance of a service; it is started at once where the others run already.
    package func launch(_ instance: String, of service: String) { self.add(instance, of: service) }

    private func addParties() {
        for party in self.topology.outside {
            var settings = Settings(party.settings)
            let capacity = settings.count("capacity", default: 0)
            switch party.kind {
            case .bank:
                self.add(party, BankMachine(settings: &settings), capacity)
            case .mail:
                self.add(party, MailRelayMachine(), capacity)
            case .shoppers:
                break
            }
        }
    }

    private func add<Machine: PartyMachine>(
        _ named: Topology.OutsideParty,
        _ machine: Machine,
        _ capacity: Int
    ) {
        let party = SimulatedParty(
            name: named.name,
            machine: machine,
            capacity: capacity,
            disk: self.ledgerDisk,
            simulation: self.simulation,
            flaws: self.flaws,
            standing: named.faults.compactMap {
                PartyFault(name: $0.kind.rawValue, delay: $0.by)
            }
        )
        self.parties[named.name] = party
        self.processes[named.name] = party
        self.launcher.add(party, ProcessPlan(name: named.name, stage: 1))
    }

    // MARK: Running

    /// Starts every process; the shoppers begin at once.
    package func start() {
        self.launcher.start()
        self.admin.connect()
        for publisher in self.publishers { publisher.connect() }
        self.shoppers?.start()
    }

    /// Lets an outside party publish, that time from now.
    package func publish(_ publication: Publication) throws(PublicationError) {
        guard let publisher = self.publishers.first(where: { $0.name == publication.source })
        else { throw PublicationError(publication, publishers: self.publishers.map(\.name)) }
        self.publicationsAhead += 1
        // What is published at the same instant keeps its order.
        self.simulation.at(self.simulation.now + publication.time) { [weak self] in
            guard let self else { return }
            self.publicationsAhead -= 1
            var event = publication.event
            event.time = self.simulation.now
            publisher.publishAside(event, to: publication.topic)
        }
    }

    /// Runs until every order has ended and everything is handled, or `limit` is over.
    ///
    /// - Returns: whether it came to rest.
    @discardableResult
    package func runToRest(within limit: Duration = .seconds(600)) throws(LogError) -> Bool {
        let isAtRest = self.run(within: limit) { self.isAtRest }
        if let problem = self.logProblem { throw problem }
        return isAtRest
    }

    /// Runs until `isOver` says so or `limit` is over; asks a few times each virtual second.
    package func run(within limit: Duration, until isOver: () -> Bool) -> Bool {
        let end = self.simulation.now + limit
        while self.simulation.now < end {
            self.simulation.run(within: .milliseconds(250)) { false }
            if isOver() { return true }
        }
        return false
    }

    /// Whether every order has ended and every event is handled.
    var isAtRest: Bool {
        self.isPublished && self.fold.orders.inProgress == 0 && self.fold.lag == 0
    }

    /// Whether every order and every other event is published and has its answer.
    private var isPublished: Bool {
        self.shoppers?.isFinished != false && self.publicationsAhead == 0
            && self.publishers.allSatisfy { $0.unconfirmedCount == 0 }
    }

    /// What is still to be done, in words.
    var unrest: String {
        var parts: [String] = []
        if !self.isPublished { parts.append("orders are not all accepted") }
        let open = self.fold.orders.inProgress
        if open > 0 { parts.append("\(open) orders have not ended") }
        for service in self.fold.services where service.lag > 0 {
            parts.append("\(service.lag) events wait for \(service.name)")
        }
        for name in self.launcher.givenUp { parts.append("\(name) was given up") }
        return parts.joined(separator: ", ")
    }

    /// Takes in what has become durable.
    private func follow() {
        guard self.logProblem == nil else { return }
        let losses = self.lossCount
        var piece: LogFollower.Piece?
        // Moved out for the time, so that nothing of it is copied.
        var record = RecordView()
        swap(&record, &self.record)
        defer { swap(&record, &self.record) }
        do {
            while try self.follower.next(into: &record, from: self.hub.disk, in: &piece) {
                self.take(record)
                // A fault that came with the record may have killed the hub.
                guard self.lossCount == losses else { return }
                if let end = self.hub.hub?.position, self.follower.position >= end { return }
            }
        } catch {
            self.logProblem = error
        }
    }

    private func take(_ record: RecordView) {
        self.reader.read(record)
        self.judge.observe(record, self.reader.contents)
        self.fold.observed(record, self.reader.contents)
        self.simulation.survey?.durable(record, now: self.simulation.now)
        guard let onEvent else { return }
        for event in record.events { onEvent(record.type(of: event), record.source(of: event)) }
    }

    /// Begins again at the start of the log where it is shorter than what was read of it.
    private func followAnew() {
        let disk = self.hub.disk
        let end =
            disk.list().compactMap { file in
                Log.position(of: file).map { $0 + UInt64(disk.size(of: file)) }
            }.max() ?? 0
        guard end < self.follower.position else { return }
        self.lossCount += 1
        let onEvent = self.onEvent
        self.onEvent = nil
        self.judge = self.newJudge()
        self.fold = RunFold(layout: self.layout, measuresTimes: false)
        self.follower = LogFollower()
        self.follow()
        self.onEvent = onEvent
    }

    /// Ends the run: all that waits is let go, so that its memory is freed.
    ///
    /// The parts of a shop refer to each other, so one that was not ended stays for ever. Its logs
    /// and ledgers can still be read.
    package func end() {
        for name in self.processes.keys.sorted() where self.parties[name] == nil {
            self.processes[name]?.kill()
        }
        self.launcher.end()
        self.hub.end()
        self.simulation.end()
        self.processes = [:]
        self.parties = [:]
        self.onEvent = nil
        self.onLog = nil
    }

    /// Judges the run as it is now.
    package func verdict() throws -> Verdict {
        if let missing = self.missing { throw missing }
        self.follow()
        if let problem = self.logProblem { throw problem }
        return self.judge.finish(ledgers: try self.ledgers())
    }

    /// What the outside parties wrote down until now.
    package func ledgers() throws -> Ledgers {
        try self.shoppers?.syncLedger()
        return try Ledgers(reading: self.ledgerDisk)
    }

    /// The hash of everything that happened, down to the bytes of the log.
    package var runHash: UInt64 {
        var hash = self.simulation.hash
        for disk in [self.hub.disk, self.ledgerDisk] {
            for file in disk.list() { hash = disk.hash(of: file, seed: hash) }
        }
        return hash
    }

    /// The log's disk, for looking at it or harming it.
    package var disk: MemoryDisk { self.hub.disk }

    /// What the hub refused.
    package var audit: [JSONValue] { self.hub.audit }

    /// Whether a bit of the log flipped on the disk.
    var hasRotten = false

    /// What made the hub's log unusable, where anything did.
    package var hubFailure: LogError? { self.hub.failure }

    // MARK: Faults

    /// Kills a process (`hub`, `payments-1`, `bank`), which the supervisor starts again at once, or
    /// `downFor` later.
    ///
    /// - Returns: whether it was there to be killed.
    @discardableResult
    package func kill(_ name: String, downFor: Duration = .zero) -> Bool {
        self.launcher.kill(name, downFor: downFor)
    }

    /// Lets a process stand still for a while, as SIGSTOP does.
    ///
    /// - Returns: whether it was there to be stopped.
    @discardableResult
    package func pause(_ name: String, for duration: Duration) -> Bool {
        guard self.launcher.pause(name) else { return false }
        self.simulation.after(duration) { [launcher] in launcher.resume(name) }
        return true
    }

    /// The process of that name.
    func process(_ name: String) -> (any SimulatedProcess)? {
        name == self.hub.name ? self.hub : self.processes[name]
    }

    private func reported(_ report: SupervisorReport) {
        switch report {
        case .ended(let name, _, _, _, _, _): self.instanceEnded(name)
        case .retired(let name):
            self.processes[name] = nil
            self.instanceEnded(name)
        default: break
        }
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

    /// What services did beside their hosts: then the run is not the seed's alone.
    package var escapes: [Escape] { self.simulation.escapes }

    /// A handler that waits although nothing is under way for it, in the end of a run.
    var waitsForNothing: Escape? {
        self.processes.keys.sorted().lazy.compactMap { self.processes[$0]?.waitsForNothing }.first
    }

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

    func logged(_ level: LogLevel, _ line: @autoclosure () -> String) {
        if let onLog = self.onLog { onLog(level, line()) }
    }
}
