import Mesh
import ServiceKit

/// A process of the simulated world: it starts, dies and starts again.
protocol SimulatedProcess: AnyObject {
    var name: String { get }
    var isUp: Bool { get }
    func start()
    func kill()
    /// Stands still, or goes on; what arrives meanwhile waits.
    func pause()
    func resume()
    /// Brings what it has in hand to an end that can wait, since it is to stop.
    func drain()
}

extension SimulatedProcess {
    func pause() {}
    func resume() {}
    func drain() {}
}

/// The process of one instance of a service: the real runtime and actors, simulated ground.
final class SimulatedService<S: Service>: SimulatedProcess {
    let name: String
    private let shop: SimulatedShop
    private let token: String
    private var ground: Ground?
    private var starts = 0

    init(shop: SimulatedShop, instance: String, token: String) {
        self.shop = shop
        self.name = instance
        self.token = token
    }

    var isUp: Bool { self.ground != nil }

    func start() {
        guard self.ground == nil else { return }
        self.starts += 1
        let ground = Ground(shop: self.shop, name: "\(self.name) \(self.starts)")
        let runtime = ServiceRuntime<S>(world: ground, instance: self.name, token: self.token)
        ground.onConnected = { runtime.connected() }
        ground.onDisconnected = { runtime.disconnected() }
        ground.onFrame = { try? runtime.received($0) }
        ground.onDrain = { runtime.drain() }
        self.ground = ground
        ground.connect()
    }

    func kill() {
        self.ground?.die()
        self.ground = nil
    }

    func pause() { self.ground?.pause() }
    func resume() { self.ground?.resume() }

    /// Lets a projection commit what it has.
    func drain() { self.ground?.onDrain() }
}

/// What one simulated process stands on, from its start to its death.
final class Ground: ServiceWorld, @unchecked Sendable {
    // Confined to the thread that drives the simulation.
    private let shop: SimulatedShop
    private var link: SimulatedLink?
    private var chance: SeededRandom
    private var isAlive = true
    private var isPaused = false
    /// What came due while the process stood still.
    private var postponed: [() -> Void] = []
    private var calls: [UInt64: CheckedContinuation<[UInt8], any Error>] = [:]
    private var callCount: UInt64 = 0
    private let name: String
    var onConnected: () -> Void = {}
    var onDisconnected: () -> Void = {}
    var onFrame: (UnsafeRawBufferPointer) -> Void = { _ in }
    var onDrain: () -> Void = {}

    init(shop: SimulatedShop, name: String) {
        self.shop = shop
        self.name = name
        self.chance = shop.simulation.random(for: name)
    }

    var executor: UnownedSerialExecutor {
        self.shop.simulation.executor.asUnownedSerialExecutor()
    }
    var taskExecutor: any TaskExecutor { self.shop.simulation.executor }
    var flaws: Flaws { self.shop.flaws }
    var snapshotIntervalMax: Int { self.shop.snapshotIntervalMax }
    func now() -> Instant { self.shop.simulation.now }
    func random() -> UInt64 { self.chance.next() }
    func log(_ level: LogLevel, _ message: String) {
        if self.isAlive { self.shop.logged(level, "\(self.name): \(message)") }
    }
    func shutOut(_ reason: String) { self.log(.error, reason) }

    func connect() {
        guard self.isAlive else { return }
        let link = SimulatedLink(
            simulation: self.shop.simulation,
            hub: self.shop.hub,
            name: self.name
        )
        guard link.connect() else {
            return self.shop.simulation.after(.milliseconds(10)) { [weak self] in self?.connect() }
        }
        self.link = link
        link.onFrame = { [weak self] frame in self?.arrived(frame) }
        link.onClose = { [weak self] in
            self?.unlessPaused { [weak self] in
                guard let self, self.isAlive else { return }
                self.link = nil
                self.onDisconnected()
                self.connect()
            }
        }
        self.onConnected()
    }

    private func arrived(_ frame: UnsafeRawBufferPointer) {
        guard self.isPaused else { return self.onFrame(frame) }
        let copy = [UInt8](frame)
        self.postponed.append { [weak self] in copy.withUnsafeBytes { self?.onFrame($0) } }
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

    func send(_ frames: [UInt8]) {
        if let survey = self.shop.simulation.survey, self.isAlive {
            let process = self.name.prefix { $0 != " " }
            survey.sent(by: String(process), frames, now: self.now())
        }
        if self.isAlive { self.link?.sendToHub(frames) }
    }

    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void) {
        self.shop.simulation.after(duration) { [weak self] in
            self?.unlessPaused { [weak self] in if self?.isAlive == true { action() } }
        }
    }

    func sleep(for duration: Duration) async throws {
        _ = try await self.suspended { id in
            self.shop.simulation.after(duration) { [weak self] in self?.end(id, .success([])) }
        }
    }

    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8] {
        try await self.suspended { id in
            self.shop.simulation.after(timeout) { [weak self] in
                let error = OutsideError(.timedOut, "\(party) gave no answer in time")
                self?.end(id, .failure(error))
            }
            self.shop.ask(party, request) { [weak self] in self?.end(id, $0) }
        }
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
        self.unlessPaused { [weak self] in
            self?.calls.removeValue(forKey: id)?.resume(with: result)
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
        self.onDisconnected = {}
        self.onDrain = {}
    }
}
