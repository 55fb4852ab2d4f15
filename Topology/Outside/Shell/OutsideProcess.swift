import Glibc
import Mesh
import MeshSocket
import OutsideParties
import ServiceKit

/// How much a caller may leave unread before it is hung up on.
private let unreadBytesMax = 4 * 1024 * 1024

/// The shell around an outside party: its socket, its ledger, its clock.
///
/// One iteration of the loop reads what every caller asked, makes it durable with one sync, and
/// only then sends the answers. Confined to the loop's thread.
final class OutsideProcess<Machine: PartyMachine> {
    private let loop: EventLoop
    private let desk: PartyDesk<Machine>
    private var listener: FrameListener?
    private var callers: [Int: FrameConnection] = [:]
    private var lastCaller = 0
    private var timer: (id: TimerID, due: Instant)?

    init(desk: PartyDesk<Machine>, loop: EventLoop) {
        self.desk = desk
        self.loop = loop
    }

    /// Listens at `path` until SIGTERM or SIGINT.
    func listen(at path: String) throws {
        let listener = try FrameListener(
            path: path,
            loop: self.loop,
            frameBytesMax: OutsideFrame.bytesMax
        ) { self.accepted($0) }
        listener.onTrouble = { OutsideReport.line("warning: \($0)") }
        self.listener = listener
        // The closures keep the process alive for as long as its loop.
        self.loop.afterEvents = { self.afterEvents() }
        try self.loop.onSignals([SIGTERM, SIGINT]) { _ in self.close() }
    }

    private func accepted(_ connection: FrameConnection) {
        self.lastCaller += 1
        let caller = self.lastCaller
        self.callers[caller] = connection
        connection.onFrame = { frame in
            self.perform(self.desk.received(frame, from: caller, now: self.loop.now()))
        }
        connection.onClose = { reason in
            if case .frameTooLarge = reason {
                OutsideReport.line("warning: hung up on caller \(caller): \(reason)")
            }
            self.callers[caller] = nil
            self.desk.closed(caller)
        }
    }

    /// The group commit: durable first, then the answers leave.
    private func afterEvents() {
        let now = self.loop.now()
        self.perform(self.desk.timePassed(now: now))
        if self.desk.needsFlush {
            do {
                self.perform(try self.desk.flush(now: now))
            } catch {
                // What was asked for may or may not be in the ledger: a new process reads it.
                OutsideReport.fatal("the ledger can't be kept: \(error.message)", code: 3)
            }
        }
        self.armTimer()
    }

    private func perform(_ outputs: [PartyOutput]) {
        for output in outputs {
            switch output {
            case .send(let caller, let framed): self.send(framed, to: caller)
            case .hangUp(let caller, let reason):
                OutsideReport.line("warning: hung up on caller \(caller): \(reason)")
                self.callers[caller]?.close()
            }
        }
    }

    private func send(_ framed: [UInt8], to caller: Int) {
        guard let connection = self.callers[caller] else { return }
        connection.send(framed)
        guard connection.bufferedBytes > unreadBytesMax else { return }
        OutsideReport.line("warning: hung up on caller \(caller): it does not read its answers")
        connection.close()
    }

    private func armTimer() {
        let due = self.desk.nextDeadline
        if due == self.timer?.due { return }
        if let timer = self.timer { self.loop.cancel(timer.id) }
        self.timer = due.map { due in
            (id: self.loop.timer(at: due) { self.timer = nil }, due: due)
        }
    }

    private func close() {
        self.afterEvents()
        do {
            try self.desk.close()
        } catch {
            OutsideReport.line("warning: \(error.message)")
        }
        self.listener?.close()
        self.loop.stop()
    }
}
