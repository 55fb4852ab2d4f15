import Mesh
import ServiceKit

/// What one simulated process stands on, from its start to its death.
final class Ground: ServiceWorld, @unchecked Sendable {
    // Confined to the thread that drives the simulation.
    private let shop: SimulatedShop
    private let simulation: Simulation
    let flaws: Flaws
    let snapshotIntervalMax: Int
    /// In whose name it acts.
    private let process: Int
    private let start: Int
    private var link: SimulatedLink?
    private var chance: SeededRandom
    private var isAlive = true
    private var isPaused = false
    /// What came due while the process stood still.
    private var postponed: [() -> Void] = []
    private var calls: [UInt64: CheckedContinuation<[UInt8], any Error>] = [:]
    private var callCount: UInt64 = 0
    private let name: String
    let jobs: SimulatedExecutor
    /// How far its clock is ahead.
    var skew = Duration.zero
    var onConnected: () -> Void = {}
    var onDisconnected: () -> Void = {}
    var onFrame: (UnsafeRawBufferPointer) -> Void = { _ in }
    var onDrain: () -> Void = {}

    /// Creates the ground of a process's `start`-th life.
    init(shop: SimulatedShop, name: String, start: Int) {
        self.shop = shop
        self.simulation = shop.simulation
        self.flaws = shop.flaws
        self.snapshotIntervalMax = shop.snapshotIntervalMax
        self.process = shop.simulation.process(name)
        self.name = name
        self.start = start
        self.jobs = shop.simulation.executor(of: name)
        self.chance = shop.simulation.random(for: "\(name) \(start)")
    }

    var executor: UnownedSerialExecutor { self.jobs.asUnownedSerialExecutor() }
    var taskExecutor: any TaskExecutor { self.jobs }
    func now() -> Instant {
        self.jobs.called("now")
        return self.simulation.now + self.skew
    }
    func random() -> UInt64 {
        self.jobs.called("random")
        return self.chance.next()
    }
    func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
        self.jobs.called("log")
        if self.isAlive { self.shop.logged(level, "\(self.name) \(self.start): \(message())") }
    }
    func shutOut(_ reason: String) { self.log(.error, reason) }

    func connect() {
        guard self.isAlive else { return }
        let link = SimulatedLink(
            simulation: self.simulation,
            hub: self.shop.hub,
            name: self.name
        )
        guard link.connect() else {
            return self.simulation.after(.milliseconds(10), by: self.process) { [self] in
                self.connect()
            }
        }
        self.link = link
        link.onFrame = { [self] in self.arrived($0) }
        link.onClose = { [self] in
            self.unlessPaused { [self] in
                guard self.isAlive else { return }
                self.link = nil
                self.onDisconnected()
                self.connect()
            }
        }
        self.onConnected()
    }

    private func arrived(_ frame: UnsafeRawBufferPointer) {
        self.simulation.running = self.jobs.number
        guard self.isPaused else { return self.onFrame(frame) }
        let copy = [UInt8](frame)
        self.postponed.append { [self] in copy.withUnsafeBytes { self.onFrame($0) } }
    }

    private func unlessPaused(_ action: @escaping () -> Void) {
        if self.isPaused { self.postponed.append(action) } else { action() }
    }

    func pause() { self.isPaused = true }

    func resume() {
        guard self.isPaused else { return }
        self.isPaused = false
        let postponed = self.postponed
        self.postponed = []
        for action in postponed { self.unlessPaused(action) }
    }

    func send(_ frames: consuming [UInt8]) {
        guard self.isAlive else { return }
        if let survey = self.simulation.survey {
            survey.sent(by: self.name, copy frames, now: self.simulation.now)
        }
        self.link?.sendToHub(frames)
    }

    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void) {
        self.simulation.after(duration, by: self.process) { [self] in
            guard !self.isPaused else {
                return self.postponed.append { [self] in if self.isAlive { action() } }
            }
            self.simulation.running = self.jobs.number
            if self.isAlive { action() }
        }
    }

    func sleep(for duration: Duration) async throws {
        self.jobs.called("sleep")
        _ = try await self.suspended { id in
            self.simulation.after(duration, by: self.process) { [self] in
                self.end(id, .success([]))
            }
        }
    }

    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8] {
        self.jobs.called("call")
        return try await self.suspended { id in
            self.simulation.after(timeout, by: self.process) { [self] in
                guard self.calls[id] != nil else { return }
                let error = OutsideError(.timedOut, "\(party) gave no answer in time")
                self.end(id, .failure(error))
            }
            self.shop.ask(party, request) { [self] in self.end(id, $0) }
        }
    }

    /// What a handler does that waits although nothing is under way for it; nil where none does.
    var waitsForNothing: Escape? {
        let waiting = self.jobs.handling()
        guard !waiting.isEmpty, self.calls.isEmpty, !self.isPaused else { return nil }
        return .wait(
            of: self.jobs.process,
            handling: waiting.map { "\($0.type) of \($0.subject)" }
        )
    }

    private func suspended(_ begin: (UInt64) -> Void) async throws -> [UInt8] {
        self.callCount += 1
        let id = self.callCount
        return try await withCheckedThrowingContinuation { continuation in
            self.calls[id] = continuation
            begin(id)
        }
    }

    private func end(_ id: UInt64, _ result: Result<[UInt8], any Error>) {
        self.unlessPaused { [self] in
            self.calls.removeValue(forKey: id)?.resume(with: result)
        }
    }

    /// Dies at this instant: nothing of it reaches anyone any more.
    func die() {
        self.isAlive = false
        self.isPaused = false
        self.postponed = []
        self.link?.close()
        self.link = nil
        // What waits is let go so that its memory is freed; its effects go nowhere.
        for id in self.calls.keys.sorted() { self.end(id, .failure(CancellationError())) }
        self.onFrame = { _ in }
        self.onConnected = {}
        self.jobs.handling = { [] }
        self.onDisconnected = {}
        self.onDrain = {}
    }
}
