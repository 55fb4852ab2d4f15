import AdapterDialogue
import Glibc
import Mesh
import MeshSocket

/// The shell around a dialogue: the command's socket, the connection to the hub, the clock.
///
/// Confined to the loop's thread.
final class AdapterProcess {
    private let loop: EventLoop
    private let launch: AdapterLaunch
    private var dialogue: Dialogue
    private var listener: LineListener?
    private var command: LineConnection?
    private var hub: FrameConnection?
    /// Whether the hub is wanted: while there is a command.
    private var wantsHub = false
    private var wait = hubWaitMin
    private var retry: TimerID?
    private var timer: (id: TimerID, due: Instant)?
    private var isLeaving = false

    private static let hubWaitMin = Duration.milliseconds(1)
    private static let hubWaitMax = Duration.milliseconds(50)
    /// What a command may leave unread before the hub has to wait.
    private static let unreadBytesMax = 1 << 20

    init(loop: EventLoop, launch: AdapterLaunch) throws {
        self.loop = loop
        self.launch = launch
        self.dialogue = Dialogue(settings: launch.settings)
        let listener = try LineListener(
            path: launch.socket,
            loop: loop,
            connectionsMax: 8,
            lineBytesMax: launch.settings.lineBytesMax
        ) { [unowned self] in self.accepted($0) }
        listener.onTrouble = { AdapterReport.line("warning \($0)") }
        self.listener = listener
        loop.afterEvents = { [unowned self] in self.afterEvents() }
        try loop.onSignals([SIGTERM, SIGINT]) { [unowned self] _ in self.leave() }
        try Lifeline.watch(on: loop)
    }

    func run() throws {
        try self.loop.run()
        self.listener?.close()
    }

    // MARK: The command

    private func accepted(_ connection: LineConnection) {
        guard self.command == nil, !self.isLeaving else {
            let line: JSONValue = ["error": "another process serves this socket already"]
            connection.send(line: line.text)
            return connection.closeWhenSent()
        }
        AdapterReport.line("info the command is connected")
        self.command = connection
        connection.onLine = { [unowned self] line in
            self.perform(self.dialogue.received(line: line, now: self.loop.now()))
        }
        connection.onDrained = { [unowned self] in self.hub?.resumeReading() }
        connection.onClose = { [unowned self] reason in
            AdapterReport.line("info the command is gone: \(reason)")
            self.command = nil
            if case .lineTooLong(let bytes) = reason {
                let message = "the command answered with a line of more than \(bytes) bytes"
                self.perform(self.dialogue.lineWasTooLong(message))
                self.sendToHub()
            }
            self.perform(self.dialogue.commandDisconnected())
        }
        self.perform(self.dialogue.commandConnected())
    }

    private func perform(_ actions: [Dialogue.Action]) {
        for action in actions {
            switch action {
            case .connect:
                self.wantsHub = true
                if self.hub == nil { self.connect() }

            case .disconnect:
                self.wantsHub = false
                self.hub?.closeWhenSent()

            case .send(let line):
                self.command?.send(line: line)
                let unread = self.command?.bufferedBytes ?? 0
                if unread > Self.unreadBytesMax { self.hub?.pauseReading() }

            case .hangUp(let reason):
                AdapterReport.line("warning hung up on the command: \(reason)")
                self.command?.close()

            case .report(let text):
                AdapterReport.line(text)

            case .refused(let reason):
                AdapterReport.fatal(reason, code: 3)
            }
        }
    }

    // MARK: The hub

    private func connect() {
        self.retry = nil
        guard self.wantsHub, self.hub == nil, !self.isLeaving else { return }
        do {
            let hub = try FrameConnection.connect(
                to: self.launch.hub,
                loop: self.loop,
                frameBytesMax: Frame.bodyBytesMax
            )
            self.hub = hub
            hub.onFrame = { [unowned self] in self.received($0) }
            hub.onClose = { [unowned self] _ in self.lost() }
            self.wait = Self.hubWaitMin
            self.dialogue.hubConnected()
        } catch {
            self.connectLater()
        }
    }

    private func connectLater() {
        guard self.retry == nil else { return }
        self.retry = self.loop.timer(at: self.loop.now() + self.wait) { [unowned self] in
            self.connect()
        }
        self.wait = min(self.wait * 2, Self.hubWaitMax)
    }

    private func received(_ frame: UnsafeRawBufferPointer) {
        do {
            self.perform(try self.dialogue.received(frame, now: self.loop.now()))
        } catch {
            AdapterReport.line("error a frame of the hub cannot be read: \(error.message)")
            self.hub?.close()
        }
    }

    private func lost() {
        self.hub = nil
        self.perform(self.dialogue.hubDisconnected())
        if self.isLeaving { return self.loop.stop() }
        if self.wantsHub { self.connectLater() }
    }

    // MARK: Each iteration

    private func afterEvents() {
        self.perform(self.dialogue.timePassed(now: self.loop.now()))
        self.sendToHub()
        let due = self.dialogue.nextDeadline
        guard due != self.timer?.due else { return }
        if let timer = self.timer { self.loop.cancel(timer.id) }
        self.timer = due.map { due in
            (id: self.loop.timer(at: due) { [unowned self] in self.timer = nil }, due: due)
        }
    }

    private func sendToHub() {
        let frames = self.dialogue.takeOutput()
        if !frames.isEmpty { self.hub?.send(frames) }
    }

    /// Ends once everything is sent; what the command has in hand is delivered again later.
    private func leave() {
        self.isLeaving = true
        self.sendToHub()
        guard let hub = self.hub else { return self.loop.stop() }
        hub.closeWhenSent()
        self.loop.timer(at: self.loop.now() + .seconds(1)) { [loop] in loop.stop() }
    }
}
