import Glibc
import Mesh
import MeshSocket
import TopologyFile

/// The shell around the hub's state machine: its socket, its log folder, its clock.
///
/// One iteration of the loop reads what every client sent, commits it all as one group, and only
/// then sends what the hub has to say.
final class HubProcess {
    private let loop: EventLoop
    private let hub: Hub
    private var listener: FrameListener?
    private var connections: [ConnectionID: FrameConnection] = [:]
    private var lastConnection = 0
    private var timer: (id: TimerID, due: Instant)?
    private var isClosing = false
    /// Where a kill is to lose what was not synced.
    private let holding: HoldingDisk?
    private var isWritingBack = false

    init(loop: EventLoop, launch: HubLaunch) throws {
        self.loop = loop
        let folder = try FolderDisk(folder: "log")
        let faults = DiskFaults()
        let disk = FaultyDisk(folder, faults, wait: Self.wait)
        let holding = launch.powerCuts ? HoldingDisk(disk) : nil
        self.holding = holding
        let configuration = Hub.Configuration(
            layout: launch.topology.layout,
            tokens: launch.tokens,
            uid: getuid(),
            flaws: launch.flaws,
            segmentBytesMax: launch.topology.log.segmentBytes
        )
        self.hub = try Self.open(configuration, holding ?? disk, loop)
        self.hub.diskFaults = faults
        for link in launch.topology.links {
            for fault in link.faults {
                self.hub.armStanding(fault, from: link.from, to: link.to)
            }
        }
        self.listener = try FrameListener(
            path: "hub.sock",
            loop: loop,
            connectionsMax: launch.topology.layout.limits.connectionsMax,
            frameBytesMax: Frame.bodyBytesMax
        ) { [unowned self] in self.accepted($0) }
        loop.afterEvents = { [unowned self] in self.afterEvents() }
        try loop.onSignals([SIGTERM, SIGINT]) { [unowned self] _ in self.close() }
    }

    /// Opens the hub; where the disk is full, as soon as there is room.
    private static func open(
        _ configuration: Hub.Configuration,
        _ disk: any Disk,
        _ loop: EventLoop
    ) throws(LogError) -> Hub {
        var isWaiting = false
        while true {
            do {
                return try Hub(configuration: configuration, disk: disk, now: loop.now())
            } catch {
                guard error.code == .full else { throw error }
                if !isWaiting { Report.line("warning", "waiting for room: \(error.message)") }
                isWaiting = true
                usleep(250_000)
            }
        }
    }

    /// Stands still, as a disk does that takes its time.
    private static func wait(_ duration: Duration) {
        usleep(useconds_t(clamping: duration.inNanoseconds / 1000))
    }

    private func accepted(_ connection: FrameConnection) {
        self.lastConnection += 1
        let id = ConnectionID(self.lastConnection)
        self.connections[id] = connection
        self.hub.connected(id, peer: connection.peer, now: self.loop.now())
        connection.onFrame = { [unowned self] frame in
            self.hub.received(id, frame: frame, now: self.loop.now())
        }
        connection.onClose = { [unowned self] reason in
            if case .frameTooLarge(let bytes) = reason {
                let message = "a frame of \(bytes) bytes; the limit is \(Frame.bodyBytesMax)"
                self.hub.refusedByShell(id, message, now: self.loop.now())
            }
            self.connections[id] = nil
            self.hub.disconnected(id, now: self.loop.now())
        }
    }

    /// The group commit: durable first, then everything that depends on it leaves.
    private func afterEvents() {
        let now = self.loop.now()
        self.hub.timePassed(now: now)
        do {
            try self.hub.flush(now: now)
        } catch {
            // Nothing that was staged may be confirmed; a new process reads the log again.
            Report.fatal("the log failed: \(error)", code: error.code == .full ? 4 : 3)
        }
        for id in self.hub.takeDirtyConnections() {
            guard let connection = self.connections[id] else { continue }
            self.hub.sendOutput(of: id) { connection.send(emptying: &$0) }
        }
        for id in self.hub.takeClosing() { self.connections[id]?.closeWhenSent() }
        for line in self.hub.takeAudit() { Audit.write(line) }
        self.armTimer()
        self.writeBackLater()
        if self.isClosing { self.loop.stop() }
    }

    private func armTimer() {
        let due = self.hub.nextDeadline
        if due == self.timer?.due { return }
        if let timer = self.timer { self.loop.cancel(timer.id) }
        self.timer = due.map { due in
            (id: self.loop.timer(at: due) { [unowned self] in self.timer = nil }, due: due)
        }
    }

    /// What is not synced reaches the disk in the end, as a kernel sees to it.
    private func writeBackLater() {
        guard let holding = self.holding, holding.holdsBytes, !self.isWritingBack else { return }
        self.isWritingBack = true
        self.loop.timer(at: self.loop.now() + Self.writeBackAfter) { [unowned self] in
            self.isWritingBack = false
            self.writeBack()
        }
    }

    private func writeBack() {
        do {
            try self.holding?.writeBack()
        } catch {
            Report.fatal("the log failed: \(error)", code: error.code == .full ? 4 : 3)
        }
    }

    private static let writeBackAfter = Duration.milliseconds(500)

    private func close() {
        self.hub.closed(now: self.loop.now())
        self.isClosing = true
    }

    func run() throws {
        try self.loop.run()
        self.writeBack()
        self.listener?.close()
    }
}

/// Writes refusals to `audit.ndjson` in the run folder.
enum Audit {
    private static let descriptor = open("audit.ndjson", O_WRONLY | O_APPEND | O_CREAT, 0o600)

    static func write(_ line: JSONValue) {
        var text = line.text + "\n"
        text.withUTF8 { bytes in _ = Glibc.write(self.descriptor, bytes.baseAddress, bytes.count) }
    }
}
