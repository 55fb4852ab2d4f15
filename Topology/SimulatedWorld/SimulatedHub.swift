import Mesh

/// The hub's process in the simulated world: the real state machine on a simulated disk.
final class SimulatedHub {
    let simulation: Simulation
    let disk: MemoryDisk
    let configuration: Hub.Configuration
    private(set) var hub: Hub?
    private var links: [ConnectionID: SimulatedLink] = [:]
    private var lastConnection = 0
    private var incarnation = 0
    private var isFlushArmed = false
    private var wakeup: Instant?
    private var random: SeededRandom
    /// Up to where others know of the log.
    private var followed: UInt64 = 0
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
        self.random = simulation.random(for: "hub")
    }

    func start() {
        self.incarnation += 1
        do {
            self.hub = try Hub(
                configuration: self.configuration,
                disk: self.disk,
                now: self.simulation.now
            )
        } catch {
            self.failure = error
            return
        }
        if let survey = self.idleSurvey { self.hub?.survey = survey }
        self.flushSoon()
        self.onUp()
    }

    /// Dies between two instructions; with the power, where the run says so.
    func kill(losingPower: Bool = true) {
        guard self.hub != nil else { return }
        self.onDying()
        self.idleSurvey = self.survey
        self.hub = nil
        self.incarnation += 1
        self.isFlushArmed = false
        self.wakeup = nil
        if losingPower {
            self.disk.losePower(using: &self.random)
            self.onLoss()
        }
        let links = self.links.sorted { $0.key < $1.key }.map(\.value)
        self.links = [:]
        self.followed = 0
        for link in links { link.closedByHub() }
    }

    /// Connects a client, or returns nil where the hub is not up.
    func connect(_ link: SimulatedLink) -> ConnectionID? {
        guard let hub = self.hub else { return nil }
        self.lastConnection += 1
        let id = ConnectionID(self.lastConnection)
        self.links[id] = link
        hub.connected(
            id,
            peer: PeerCredentials(pid: Int32(self.lastConnection), uid: 0, gid: 0),
            now: self.simulation.now
        )
        return id
    }

    func received(_ id: ConnectionID, _ frame: UnsafeRawBufferPointer) {
        guard let hub = self.hub, self.links[id] != nil else { return }
        hub.received(id, frame: frame, now: self.simulation.now)
        self.flushSoon()
    }

    func disconnected(_ id: ConnectionID) {
        guard let hub = self.hub, self.links.removeValue(forKey: id) != nil else { return }
        hub.disconnected(id, now: self.simulation.now)
        self.flushSoon()
    }

    /// Lets everything that arrives within a moment share one group commit, as the loop does.
    private func flushSoon() {
        guard !self.isFlushArmed else { return }
        self.isFlushArmed = true
        let incarnation = self.incarnation
        let time = Duration.microseconds(20 + self.random.below(100))
        self.simulation.after(time) { [weak self] in
            guard let self, self.incarnation == incarnation else { return }
            self.isFlushArmed = false
            self.flush()
        }
    }

    private func flush() {
        guard let hub = self.hub else { return }
        hub.timePassed(now: self.simulation.now)
        do {
            try hub.flush(now: self.simulation.now)
        } catch {
            return self.fail(error)
        }
        if hub.position != self.followed {
            self.followed = hub.position
            self.simulation.survey?.synced("hub", now: self.simulation.now)
            self.onFlush()
        }
        for id in hub.takeDirtyConnections() {
            let frames = hub.takeOutput(of: id)
            if !frames.isEmpty { self.links[id]?.sendToClient(frames) }
        }
        for id in hub.takeClosing() {
            self.links.removeValue(forKey: id)?.closedByHub()
            hub.disconnected(id, now: self.simulation.now)
        }
        self.audit.append(contentsOf: hub.takeAudit())
        self.armWakeup()
    }

    /// What was staged is lost: the process ends, and another begins on the log as it is.
    private func fail(_ error: LogError) {
        self.kill()
        guard error.code != .corrupt, error.code != .otherLayout else {
            self.failure = error
            return
        }
        self.simulation.after(.milliseconds(50)) { [weak self] in
            if let self, self.hub == nil { self.start() }
        }
    }

    private func armWakeup() {
        guard let due = self.hub?.nextDeadline, self.wakeup.map({ due < $0 }) ?? true else {
            return
        }
        self.wakeup = due
        let incarnation = self.incarnation
        self.simulation.at(due) { [weak self] in
            guard let self, self.incarnation == incarnation else { return }
            self.wakeup = nil
            self.flushSoon()
        }
    }
}

/// A client's connection to the hub: the real bytes, in order, with latency both ways.
final class SimulatedLink {
    private let simulation: Simulation
    private let hub: SimulatedHub
    private var id: ConnectionID?
    private var random: SeededRandom
    private var arrivalAtHub = Instant.zero
    private var arrivalAtClient = Instant.zero
    /// Called for each frame's body.
    var onFrame: (UnsafeRawBufferPointer) -> Void = { _ in }
    /// Called once, when the hub is gone.
    var onClose: () -> Void = {}
    private var isOpen = false

    init(simulation: Simulation, hub: SimulatedHub, name: String) {
        self.simulation = simulation
        self.hub = hub
        self.random = simulation.random(for: "link \(name) \(simulation.stepCount)")
    }

    /// Connects; returns whether the hub was there.
    func connect() -> Bool {
        self.id = self.hub.connect(self)
        self.isOpen = self.id != nil
        return self.isOpen
    }

    func sendToHub(_ frames: [UInt8]) {
        guard self.isOpen else { return }
        self.arrivalAtHub = max(self.arrivalAtHub, self.simulation.now + self.latency())
        self.simulation.at(self.arrivalAtHub) { [weak self] in
            guard let self, let id = self.id else { return }
            self.eachFrame(of: frames, 1) { self.hub.received(id, $0) }
        }
    }

    func sendToClient(_ frames: [UInt8]) {
        guard self.isOpen else { return }
        self.arrivalAtClient = max(self.arrivalAtClient, self.simulation.now + self.latency())
        self.simulation.at(self.arrivalAtClient) { [weak self] in
            guard let self, self.isOpen else { return }
            self.eachFrame(of: frames, 2) { self.onFrame($0) }
        }
    }

    private func latency() -> Duration { .microseconds(10 + self.random.below(60)) }

    private func eachFrame(
        of bytes: [UInt8],
        _ direction: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        bytes.withUnsafeBytes { raw in
            self.simulation.note(raw, direction)
            var offset = 0
            while offset + 4 <= raw.count {
                let length = Int(
                    raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
                )
                let range = (offset + 4)..<(offset + 4 + length)
                self.simulation.messageCount += 1
                body(UnsafeRawBufferPointer(rebasing: raw[range]))
                offset = range.upperBound
            }
        }
    }

    /// The client dies or hangs up; the kernel tells the hub once all that was sent has arrived.
    func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        guard let id = self.id else { return }
        let hub = self.hub
        self.simulation.at(max(self.arrivalAtHub, self.simulation.now)) { hub.disconnected(id) }
    }

    func closedByHub() {
        guard self.isOpen else { return }
        self.isOpen = false
        self.id = nil
        self.simulation.after(.microseconds(50)) { [weak self] in self?.onClose() }
    }
}
