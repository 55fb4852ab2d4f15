import Chaos
import Mesh

/// The hub's process in the simulated world: the real state machine on a simulated disk.
final class SimulatedHub: SimulatedProcess {
    let name = "hub"
    let simulation: Simulation
    let disk: MemoryDisk
    /// Whether the disk can be made to fail by command.
    var diskCanFail = false
    /// The faults that the topology file has on links.
    var standing: [(fault: LinkFault, from: String, to: String)] = []
    let configuration: Hub.Configuration
    private(set) var hub: Hub?
    /// By connection, the first one being 1; nil for one that is gone.
    private var links: [SimulatedLink?] = []
    private var incarnation = 0
    private var isFlushArmed = false
    private var wakeup: Instant?
    /// In whose name it acts.
    private let process: Int
    private var random: SeededRandom
    /// Up to where others know of the log.
    private var followed: UInt64 = 0
    private var standstill = Standstill()
    /// How much longer the syncs of this flush took.
    private var stall = Duration.zero
    /// Called when the hub process ends by itself.
    var onFailed: (LogError) -> Void = { _ in }
    var skew = Duration.zero {
        didSet {
            self.wakeup = nil
            self.armWakeup()
        }
    }
    var onReady: () -> Void = {}
    var onExit: (ProcessEnd) -> Void = { _ in }
    /// Called when the hub process is up.
    var onUp: () -> Void = {}
    /// Called when the hub process is about to die.
    var onDying: () -> Void = {}
    /// Called when a flush has made something durable.
    var onFlush: () -> Void = {}
    /// Called when bytes of the log are gone that were not synced.
    var onLoss: () -> Void = {}
    /// What the hub wrote to its audit log.
    private(set) var audit: [JSONValue] = []
    private(set) var failure: LogError?
    /// What numbers and hits single attempts, from one hub to the next.
    var survey: AttemptSurvey? {
        get { self.hub?.survey ?? self.idleSurvey }
        set {
            self.idleSurvey = newValue
            self.hub?.survey = newValue
        }
    }
    private var idleSurvey: AttemptSurvey?

    init(simulation: Simulation, disk: MemoryDisk, configuration: Hub.Configuration) {
        self.simulation = simulation
        self.disk = disk
        self.configuration = configuration
        self.process = simulation.process("hub")
        self.random = simulation.random(for: "hub")
    }

    /// Whether it could answer.
    var isUp: Bool { self.hub != nil }

    /// What the hub takes for the time.
    private var clock: Instant { self.simulation.now + self.skew }

    func start() {
        guard self.hub == nil else { return }
        self.incarnation += 1
        let faults = self.diskCanFail ? DiskFaults() : nil
        let faulty = faults.map { faults in
            FaultyDisk(self.disk, faults) { [unowned self] in self.stall = self.stall + $0 }
        }
        do {
            self.hub = try Hub(
                configuration: self.configuration,
                disk: faulty ?? self.disk,
                now: self.clock
            )
        } catch {
            return self.notOpened(error)
        }
        for (fault, from, to) in self.standing { self.hub?.armStanding(fault, from: from, to: to) }
        self.hub?.diskFaults = faults
        if let survey = self.idleSurvey { self.hub?.survey = survey }
        self.flushSoon()
        self.onUp()
        self.onReady()
    }

    /// Where the disk is full, it waits for room.
    private func notOpened(_ error: LogError) {
        guard error.code == .full else {
            self.failure = self.failure ?? error
            return self.onExit(.exited(code: 3))
        }
        let incarnation = self.incarnation
        self.simulation.after(.milliseconds(250), by: self.process) { [self] in
            guard self.incarnation == incarnation else { return }
            self.start()
        }
    }

    /// Dies between two instructions, and loses what was not synced.
    func kill() {
        self.incarnation += 1
        self.standstill = Standstill()
        guard self.hub != nil else { return }
        self.onDying()
        self.idleSurvey = self.survey
        self.hub = nil
        self.isFlushArmed = false
        self.wakeup = nil
        self.disk.losePower(using: &self.random)
        self.onLoss()
        self.followed = 0
        for index in self.links.indices { self.takeLink(at: index)?.closedByHub() }
    }

    func pause() { self.standstill.begin(.stopped) }

    func resume() { self.goOn(.stopped) }

    private func goOn(_ reason: Standstill.Reason) {
        for action in self.standstill.end(reason) { self.inTurn(action) }
    }

    /// Does something now, or where the process stands still once it goes on.
    private func inTurn(_ action: @escaping () -> Void) {
        if self.standstill.isStill { self.standstill.wait(action) } else { action() }
    }

    /// Lets go of everything that refers to it, for good; the disk stays as it is.
    func end() {
        self.idleSurvey = self.survey
        self.hub = nil
        self.links = []
        self.onUp = {}
        self.onDying = {}
        self.onFlush = {}
        self.onLoss = {}
        self.onFailed = { _ in }
        self.standstill = Standstill()
    }

    /// Connects a client, or returns nil where the hub is not up.
    func connect(_ link: SimulatedLink) -> ConnectionID? {
        guard let hub = self.hub else { return nil }
        self.links.append(link)
        let id = ConnectionID(self.links.count)
        let peer = PeerCredentials(pid: Int32(self.links.count), uid: 0, gid: 0)
        // The kernel takes a connection whether or not the process stands still.
        self.inTurn { [unowned self] in hub.connected(id, peer: peer, now: self.clock) }
        return id
    }

    func received(_ id: ConnectionID, _ frame: UnsafeRawBufferPointer) {
        guard let hub = self.hub, self.links[Self.index(of: id)] != nil else { return }
        if self.standstill.isStill {
            let copy = [UInt8](frame)
            return self.standstill.wait { [unowned self] in
                copy.withUnsafeBytes { self.received(id, $0) }
            }
        }
        hub.received(id, frame: frame, now: self.clock)
        self.flushSoon()
    }

    private static func index(of id: ConnectionID) -> Int { Int(id.rawValue) - 1 }

    private func takeLink(at index: Int) -> SimulatedLink? {
        defer { self.links[index] = nil }
        return self.links[index]
    }

    func disconnected(_ id: ConnectionID) {
        self.inTurn { [unowned self] in
            guard let hub = self.hub, self.takeLink(at: Self.index(of: id)) != nil else { return }
            hub.disconnected(id, now: self.clock)
            self.flushSoon()
        }
    }

    /// Lets everything that arrives within a moment share one group commit, as the loop does.
    private func flushSoon() {
        guard !self.isFlushArmed else { return }
        self.isFlushArmed = true
        let incarnation = self.incarnation
        let time = Duration.microseconds(20 + self.random.below(100))
        self.simulation.after(time, by: self.process) { [self] in
            guard self.incarnation == incarnation else { return }
            guard self.standstill.isStill else { return self.flushNow() }
            self.standstill.wait { [unowned self] in self.flushNow() }
        }
    }

    private func flushNow() {
        self.isFlushArmed = false
        self.flush()
    }

    private func flush() {
        guard let hub = self.hub else { return }
        self.stall = .zero
        hub.timePassed(now: self.clock)
        do {
            try hub.flush(now: self.clock)
        } catch {
            return self.fail(error)
        }
        guard self.stall > .zero else { return self.flushed() }
        self.standstill.begin(.syncing) { [unowned self] in self.flushed() }
        let incarnation = self.incarnation
        self.simulation.after(self.stall, by: self.process) { [self] in
            guard self.incarnation == incarnation else { return }
            self.goOn(.syncing)
        }
    }

    /// What was staged is durable: everything that depends on it leaves.
    private func flushed() {
        guard let hub = self.hub else { return }
        if hub.position != self.followed {
            self.followed = hub.position
            self.simulation.survey?.synced("hub", now: self.simulation.now)
            self.onFlush()
        }
        hub.sendOutput { id, frames in
            self.links[Self.index(of: id)]?.sendToClient(&frames)
            frames.removeAll(keepingCapacity: true)
        }
        for id in hub.takeClosing() {
            self.takeLink(at: Self.index(of: id))?.closedByHub()
            hub.disconnected(id, now: self.clock)
        }
        let audit = hub.takeAudit()
        if !audit.isEmpty { self.audit += audit }
        self.armWakeup()
    }

    /// What was staged is lost: the process ends, and the next one begins on the log as it is.
    private func fail(_ error: LogError) {
        self.kill()
        self.onFailed(error)
        if error.code == .corrupt || error.code == .otherLayout { self.failure = error }
        self.onExit(.exited(code: error.code == .full ? 4 : 3))
    }

    private func armWakeup() {
        guard let deadline = self.hub?.nextDeadline else { return }
        let due = deadline + (.zero - self.skew)
        guard self.wakeup.map({ due < $0 }) ?? true else { return }
        self.wakeup = due
        let incarnation = self.incarnation
        self.simulation.at(due, by: self.process) { [self] in
            guard self.incarnation == incarnation else { return }
            self.wakeup = nil
            self.flushSoon()
        }
    }
}
