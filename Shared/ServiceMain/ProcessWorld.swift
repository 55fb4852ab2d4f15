import Glibc
import Mesh
import MeshSocket
import ServiceKit

/// The real world of one instance: its loop, its connection to the hub, its outside parties.
///
/// Confined to the loop's thread.
final class ProcessWorld: ServiceWorld, @unchecked Sendable {
    let loop: EventLoop
    let flaws: Flaws
    let snapshotIntervalMax: Int
    private(set) var executor: UnownedSerialExecutor
    var taskExecutor: any TaskExecutor { self.loop }
    var onConnected: () -> Void = {}
    var onDisconnected: () -> Void = {}
    var onFrame: (UnsafeRawBufferPointer) throws(WireError) -> Void = { _ throws(WireError) in }

    private let hubPath: String
    private var hub: FrameConnection?
    private var parties: [String: PartyConnection] = [:]
    private var randomness = SystemRandomNumberGenerator()
    private var wait = Duration.milliseconds(1)
    private var isLeaving = false

    init(loop: EventLoop, environment: Environment) {
        self.loop = loop
        self.executor = loop.asUnownedSerialExecutor()
        self.snapshotIntervalMax = environment["SQUALL_SNAPSHOT_EVERY"].flatMap(Int.init) ?? .max
        self.flaws = Flaws(text: environment["SQUALL_FLAWS"] ?? "")
        self.hubPath = environment["SQUALL_HUB"] ?? "hub.sock"
    }

    // MARK: The hub

    /// Connects to the hub, and again for as long as it is not there.
    func connect() {
        do {
            let hub = try FrameConnection.connect(
                to: self.hubPath,
                loop: self.loop,
                frameBytesMax: Frame.bodyBytesMax
            )
            self.hub = hub
            hub.onFrame = { [weak self] in self?.received($0) }
            hub.onClose = { [weak self] _ in self?.lost() }
            self.wait = .milliseconds(1)
            self.onConnected()
        } catch {
            self.connectLater()
        }
    }

    private func received(_ frame: UnsafeRawBufferPointer) {
        do {
            try self.onFrame(frame)
        } catch {
            self.log(.error, "a frame of the hub cannot be read: \(error.message)")
            self.hub?.close()
        }
    }

    private func lost() {
        self.hub = nil
        self.onDisconnected()
        if self.isLeaving { return self.loop.stop() }
        self.connectLater()
    }

    private func connectLater() {
        if self.isLeaving { return self.loop.stop() }
        _ = self.loop.timer(at: self.loop.now() + self.wait) { [weak self] in self?.connect() }
        self.wait = min(self.wait * 2, .milliseconds(50))
    }

    func send(_ frames: consuming [UInt8]) {
        self.hub?.send(frames)
    }

    /// Ends the process once everything is sent.
    func leave() {
        self.isLeaving = true
        guard let hub = self.hub else { return self.loop.stop() }
        hub.closeWhenSent()
        _ = self.loop.timer(at: self.loop.now() + .seconds(1)) { [loop] in loop.stop() }
    }

    func shutOut(_ reason: String) {
        self.log(.error, reason)
        exit(3)
    }

    // MARK: Time, chance, log

    func now() -> Instant { self.loop.now() }
    func random() -> UInt64 { self.randomness.next() }

    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void) {
        _ = self.loop.timer(at: self.loop.now() + duration, action)
    }

    func sleep(for duration: Duration) async throws {
        await withCheckedContinuation { continuation in
            self.after(duration) { continuation.resume() }
        }
    }

    func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
        Console.error("\(level.rawValue) \(message())")
    }

    // MARK: Outside parties

    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8] {
        let connection = self.parties[party] ?? PartyConnection(party: party, loop: self.loop)
        self.parties[party] = connection
        return try await withCheckedThrowingContinuation { continuation in
            connection.ask(request, timeout: timeout) { continuation.resume(with: $0) }
        }
    }
}

/// The connection to one outside party, made when it is needed.
final class PartyConnection {
    typealias Completion = (Result<[UInt8], any Error>) -> Void

    private struct Pending {
        var timer: TimerID
        var complete: Completion
    }

    private let party: String
    private let loop: EventLoop
    private var connection: FrameConnection?
    private var pending: [UInt64: Pending] = [:]
    private var last: UInt64 = 0

    init(party: String, loop: EventLoop) {
        self.party = party
        self.loop = loop
    }

    func ask(_ request: [UInt8], timeout: Duration, _ complete: @escaping Completion) {
        let connection: FrameConnection
        do {
            connection = try self.connected()
        } catch {
            return complete(.failure(OutsideError(.unreachable, "\(self.party): \(error)")))
        }
        self.last += 1
        let id = self.last
        let timer = self.loop.timer(at: self.loop.now() + timeout) { [weak self] in
            self?.end(id, .failure(self?.timedOut("gave no answer in time") ?? CancellationError()))
        }
        self.pending[id] = Pending(timer: timer, complete: complete)
        connection.send(OutsideFrame.request(id: id, body: request))
    }

    private func connected() throws(SystemError) -> FrameConnection {
        if let connection = self.connection { return connection }
        let connection = try FrameConnection.connect(
            to: "\(self.party).sock",
            loop: self.loop,
            frameBytesMax: OutsideFrame.bytesMax
        )
        self.connection = connection
        connection.onFrame = { [weak self] in self?.received($0) }
        connection.onClose = { [weak self] _ in self?.lost() }
        return connection
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        guard let frame = try? OutsideFrame.parse(bytes), frame.kind == .answer else {
            self.connection?.close()
            return
        }
        self.end(frame.id, .success(frame.body))
    }

    private func lost() {
        self.connection = nil
        for id in self.pending.keys.sorted() {
            self.end(id, .failure(self.timedOut("went away before it answered")))
        }
    }

    private func timedOut(_ what: String) -> OutsideError {
        OutsideError(.timedOut, "\(self.party) \(what); it may have done what was asked")
    }

    private func end(_ id: UInt64, _ result: Result<[UInt8], any Error>) {
        guard let pending = self.pending.removeValue(forKey: id) else { return }
        self.loop.cancel(pending.timer)
        pending.complete(result)
    }
}
