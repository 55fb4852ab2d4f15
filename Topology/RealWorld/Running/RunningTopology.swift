import Chaos
import Mesh
import MeshSocket
import TopologyFile

/// A topology on real processes: launched, loaded, disturbed, drained and judged.
///
/// Everything happens on one loop, which belongs to the main thread: a child dies with the thread
/// that started it. The working directory is the run folder, so that socket names are short.
package final class RunningTopology {
    /// What to run.
    package struct Plan {
        /// Who places orders.
        package enum Load {
            /// Shoppers at the topology's rate, or at this one.
            case shoppers(rate: Int?)
            case history(History, HistoryPlayer.Speed)
            /// Shoppers who place so many orders at the topology's rate.
            case orders(Int)
        }

        package var topology: Topology
        package var load = Load.shoppers(rate: nil)
        package var seed: UInt64 = 1
        /// How long orders are placed; nil for until told to drain.
        package var duration: Duration?
        package var flaws: [String] = []
        /// Whether a kill loses what was not synced, as a power cut does.
        package var powerCuts = false
        /// A snapshot is taken after at most so many commits; nil for what each service says.
        package var snapshotEvery: Int?
        /// The invariants, by name, that it is not judged by.
        package var exceptions: Set<String> = []
        /// How many processes are killed at random moments of the run.
        package var killCount = 0
        /// The folder of the executables.
        package var executables: String
        /// The folder of the topology file, in which commands start; the run folder where nil.
        package var home: String?

        package init(topology: Topology, executables: String) {
            self.topology = topology
            self.executables = executables
        }
    }

    /// How a run ended.
    package enum Ending {
        case judged(Verdict)
        /// It was told to end at once.
        case aborted
        /// It could not run: why, and what to do.
        case failed(ControlError)
    }

    let loop: EventLoop
    let plan: Plan
    let folder: RunFolder
    var launch: LaunchPlan
    let launcher: ProcessLauncher
    let feed: LogFeed
    let admin: AdminLink
    let observer: AdminLink
    let load: LoadDriver?
    let parties: [PartyLink]
    let started: Instant
    var control: ControlServer?
    var board = FaultBoard()
    var diskWatch = DiskWatch()
    /// The numbers of the hub's rules for the links that are cut.
    var rules: [FaultBoard.Fault: Int64] = [:]
    /// What was counted when a fault was armed.
    var baselines: [FaultBoard.Fault: Int] = [:]
    /// How often faults bit that squall brings about itself.
    var ownBites: [FaultBoard.Fault: Int] = [:]
    /// The next beat of each fault that goes on and on.
    var beats: [FaultBoard.Fault: TimerID] = [:]
    /// The faults of the topology file, as the hub last told of them.
    var standing: [TopologyStatus.Fault] = []
    var leaseTimer: TimerID?
    /// The changes of instances under way, by service.
    var changes: [String: PendingChange] = [:]
    /// How the hub saw each service when last asked: whenever an instance became ready.
    var views: [String: InstanceChange.View] = [:]
    /// Who waits for which process to be back.
    var restarts: [String: ControlServer.Answer] = [:]
    var phase = TopologyStatus.Phase.starting
    var happenings: [TopologyStatus.Happening] = []
    var isReading = false
    var drainChecks = DrainChecks()
    var drainTimer: TimerID?
    var isStopping = false
    /// The kills of `--chaos` that are left.
    var kills: KillSchedule?
    var killTimer: TimerID?
    /// How many kills of `--chaos` were done.
    package internal(set) var killCount = 0
    var ending: Ending?
    /// What a scenario is told of this run.
    weak var listener: (any TopologyListener)?
    /// What was still to be done when it was stopped all the same; nil where it came to rest.
    var unrest: String?
    /// Whether a bit of the log was flipped on purpose.
    var hasRotten = false
    /// Why it cannot be judged, where it cannot: the promise of readable files that was broken.
    var unreadable: ScenarioOutcome.Failure?
    var memory: (taken: Instant, kibibytes: [Int: Int]) = (.zero, [:])

    /// How fast it started and came back.
    package internal(set) var timing = TimingReport()
    /// Something happened that is worth telling.
    package var onHappening: (TopologyStatus.Happening) -> Void = { _ in }
    /// All is over; called once.
    package var onEnded: (Ending) -> Void = { _ in }

    /// How many happenings are kept.
    static let happeningCountMax = 50
    /// How long all services may take until they are ready.
    static let readyWithin = Duration.seconds(20)
    /// For how long the log grows until it is read, where no fault waits for what is in it: many
    /// records at once cost less than one by one.
    package static let readInterval = Duration.milliseconds(50)

    /// Prepares a run in a folder that is the working directory.
    ///
    /// - Throws: `ControlError` where the folder cannot be written.
    package init(_ plan: Plan, folder: RunFolder, loop: EventLoop) throws(ControlError) {
        self.plan = plan
        self.folder = folder
        self.loop = loop
        self.started = loop.now()
        let topology = plan.topology
        let launch = LaunchPlan(
            topology,
            flaws: plan.flaws,
            powerCuts: plan.powerCuts,
            snapshotEvery: plan.snapshotEvery,
            token: TokenMint.token
        )
        self.launch = launch
        let hub = RunFolder.Name.hub
        do {
            try Self.describe(topology, folder, now: self.started)
            self.feed = try LogFeed(
                layout: topology.layout,
                folder: RunFolder.Name.log,
                except: plan.exceptions
            )
            self.load = try topology.outside.first { $0.kind == .shoppers }.map { shoppers in
                LoadDriver(
                    loop: loop,
                    path: hub,
                    hello: launch.hello(.publisher, shoppers.name, shoppers.name),
                    disk: try FolderDisk(folder: RunFolder.Name.ledgers)
                )
            }
        } catch {
            throw ControlError("cannot prepare the run folder \(folder.path): \(error)")
        }
        self.admin = AdminLink(
            loop: loop,
            path: hub,
            hello: launch.hello(.admin, "squall", "admin")
        )
        self.observer = AdminLink(
            loop: loop,
            path: hub,
            hello: launch.hello(.observer, "squall", "observer")
        )
        self.parties = launch.processes.filter { $0.kind == .outside }
            .map { PartyLink(loop: loop, name: $0.name) }
        self.launcher = ProcessLauncher(
            loop: loop,
            runFolder: folder.path,
            specs: launch.processes.map { $0.specification(in: plan, runFolder: folder.path) },
            grace: topology.shutdown.killAfter,
            logBytesMax: topology.limits.logBytesMax
        )
    }

    /// Writes down what runs here, for commands and for `squall check`.
    private static func describe(
        _ topology: Topology,
        _ folder: RunFolder,
        now: Instant
    ) throws(FileSystem.Failure) {
        let text = topology.normalized().prettyText + "\n"
        try FileSystem.write(text, to: RunFolder.Name.topology)
        let record = RunRecord(
            id: folder.id,
            topology: topology.name,
            pid: FileSystem.processID,
            started: now
        )
        try FileSystem.write(record.json.prettyText + "\n", to: RunFolder.Name.run)
    }

    /// Whether everything was ready once.
    var hasServed: Bool { self.timing.ready != nil }

    /// Whether orders are being placed.
    package var isServing: Bool { self.phase == .running }

    /// Why flaws cannot be planted; nil where all are known.
    package static func unknownFlaw(_ names: [String]) -> ControlError? {
        LaunchPlan.unknownFlaw(names)
    }

    // MARK: Starting

    /// Launches everything; the load begins when all services are ready.
    ///
    /// - Throws: `ControlError` where the control socket cannot be made.
    package func start() throws(ControlError) {
        do {
            self.control = try ControlServer(
                path: RunFolder.Name.control,
                loop: self.loop
            ) { [unowned self] request, answer in
                self.carryOut(request, answer)
            }
        } catch {
            throw ControlError("\(error)")
        }
        self.wireLinks()
        if self.plan.killCount > 0 {
            self.kills = KillSchedule(count: self.plan.killCount, seed: self.plan.seed)
        }
        self.launcher.onReport = { [unowned self] in self.reported($0) }
        self.launcher.start()
        self.admin.start()
        self.observer.start()
        self.load?.connect()
        for party in self.parties { party.start() }
        self.loop.timer(at: self.started + Self.readyWithin) { [weak self] in
            guard let self, self.phase == .starting, self.ending == nil else { return }
            let missing = self.launcher.status.filter { $0.state != .ready }.map(\.name)
            self.fail(
                ControlError(
                    "not ready within \(HumanText.duration(Self.readyWithin)): "
                        + missing.joined(separator: ", "),
                    hint: "squall logs \(missing.first ?? "") --run \(self.folder.id)"
                )
            )
        }
    }

    private func wireLinks() {
        self.admin.onUp = { [unowned self] in self.hubIsUp() }
        self.admin.onLost = { [unowned self] in self.listener?.hubIsGone() }
        self.admin.onNotice = { [unowned self] in self.noticed($0) }
        self.observer.onUp = { [unowned self] in self.logHasGrown() }
        self.observer.onDurable = { [unowned self] _ in self.logHasGrown() }
        for link in [self.admin, self.observer] {
            link.onTrouble = { [unowned self] in self.happened($0, .bad) }
        }
        self.load?.onTrouble = { [unowned self] in self.happened($0, .bad) }
        self.load?.onDisk = { [unowned self] in self.disk(of: "shoppers", isFull: $0) }
        self.load?.onFinished = { [unowned self] in
            self.happened("all orders are placed", .neutral)
            // A scenario says itself when it is over.
            if let listener = self.listener { listener.logWasRead() } else { self.drain() }
        }
        for party in self.parties {
            party.onUp = { [unowned self] in self.partyIsUp(party) }
        }
        self.feed.onViolation = { [unowned self] invariant, finding in
            self.happened("broken: \(invariant): \(finding.summary)", .bad)
        }
        self.feed.onOvertaken = { [unowned self] in
            self.happened("retention removed what was not read yet: no more can be judged", .bad)
        }
    }

    private func hubIsUp() {
        self.feed.hubIsUp()
        self.launcher.markReady(LaunchPlan.hub)
        self.rearmHubFaults()
        self.repeatLeaves()
        self.lookWhoIsReady()
        self.listener?.hubIsUp()
    }

    /// A party forgets what commands armed when its process ends: it is armed again.
    private func partyIsUp(_ party: PartyLink) {
        self.launcher.markReady(party.name)
        for armed in self.board.armed { self.rearm(armed, at: party) }
        self.listener?.partyIsUp(party.name)
    }

    private func noticed(_ notice: JSONValue) {
        switch notice["notice"]?.string {
        case "ready": self.lookWhoIsReady()
        case "disk-full": self.hubDisk(isFull: true)
        case "disk-has-room": self.hubDisk(isFull: false)
        default: break
        }
        if !self.changes.isEmpty { self.instanceNoticed(notice) }
    }

    /// Asks the hub which instances own their partitions and have their state.
    func lookWhoIsReady() {
        self.admin.ask(["do": "status"]) { [weak self] result in
            guard let self, case .success(let status) = result else { return }
            var allReady = true
            for service in status["services"]?.array ?? [] {
                allReady = allReady && service["ready"]?.bool == true
                for instance in service["instances"]?.array ?? []
                where instance["ready"]?.bool == true {
                    let name = instance["instance"]?.string
                    for process in self.launch.processes
                    where process.instance == name || process.adapted == name {
                        self.launcher.markReady(process.name)
                    }
                }
            }
            if allReady, self.launcher.isUp { self.begin() }
            for service in status["services"]?.array ?? [] {
                self.observed(service["name"]?.string ?? "", service)
            }
        }
    }

    /// Everything is ready: the load begins.
    private func begin() {
        guard self.phase == .starting, self.ending == nil else { return }
        self.phase = .running
        let now = self.loop.now()
        self.timing.ready = now - self.started
        self.happened("all ready after \(HumanText.duration(now - self.started))", .good)
        if let load = self.load, let source = self.source(now: now) { load.start(source) }
        self.killByChance()
        self.listener?.serves()
        guard let duration = self.plan.duration else { return }
        self.loop.timer(at: now + duration) { [weak self] in self?.drain() }
    }

    private func source(now: Instant) -> OrderSource? {
        let topology = self.plan.topology
        let planned = topology.load.map { _ in LoadPlan(topology: topology) }
        switch self.plan.load {
        case .orders(let count):
            guard var plan = planned else { return nil }
            plan.ordersMax = count
            return .shoppers(Shoppers(load: plan, seed: self.plan.seed, start: now))
        case .shoppers(let rate):
            guard var plan = planned else { return nil }
            if let rate { plan.rate = OrderRate(perSecond: rate) }
            return .shoppers(Shoppers(load: plan, seed: self.plan.seed, start: now))
        case .history(let history, let speed):
            let catalogue = planned?.catalogue ?? Catalogue()
            return .history(
                HistoryPlayer(history, speed: speed, catalogue: catalogue, start: now)
            )
        }
    }

    // MARK: Following

    private func logHasGrown() {
        let canWait = self.phase == .running && self.feed.onEvent == nil
        self.read(after: canWait ? Self.readInterval : .zero)
    }

    /// Reads what the log got, a piece in each iteration of the loop, so that nothing waits long.
    func read(after pause: Duration = .zero) {
        guard !self.isReading, self.phase != .ended else { return }
        self.isReading = true
        self.loop.timer(at: self.loop.now() + pause) { [weak self] in
            guard let self else { return }
            self.isReading = false
            do throws(LogError) {
                let hasMore = try self.feed.readSome()
                self.killByChance()
                if hasMore {
                    self.read()
                } else {
                    // To hear of each commit meanwhile would cost as much as to read it.
                    self.observer.follow()
                    self.checkDrained()
                }
                self.listener?.logWasRead()
            } catch {
                self.happened("the log cannot be read: \(error.message)", .bad)
                self.listener?.logIsUnreadable()
            }
        }
    }

    /// Notes something that happened.
    func happened(_ text: String, _ tone: TopologyStatus.Happening.Tone) {
        let happening = TopologyStatus.Happening(
            after: self.loop.now() - self.started,
            text: text,
            tone: tone
        )
        // The same trouble again and again is one happening.
        if let last = self.happenings.last, last.text == text, tone == .bad { return }
        self.happenings.append(happening)
        if self.happenings.count > Self.happeningCountMax { self.happenings.removeFirst() }
        RunDiary.note(text, at: self.started + happening.after)
        self.onHappening(happening)
    }
}
