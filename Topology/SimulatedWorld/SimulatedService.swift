import Chaos
import Mesh
import ServiceKit

/// The process of one instance of a service: the real runtime and actors, simulated ground.
final class SimulatedService<S: Service>: SimulatedProcess {
    let name: String
    private let shop: SimulatedShop
    private let token: String
    private var ground: Ground?
    private var starts = 0
    var skew = Duration.zero {
        didSet { self.ground?.skew = self.skew }
    }
    var onReady: () -> Void = {}
    var onExit: (ProcessEnd) -> Void = { _ in }

    init(shop: SimulatedShop, instance: String, token: String) {
        self.shop = shop
        self.name = instance
        self.token = token
    }

    var isUp: Bool { self.ground != nil }

    func start() {
        guard self.ground == nil else { return }
        self.starts += 1
        let ground = Ground(shop: self.shop, name: self.name, start: self.starts)
        let runtime = ServiceRuntime<S>(world: ground, instance: self.name, token: self.token)
        ground.onConnected = { runtime.connected() }
        ground.onDisconnected = { runtime.disconnected() }
        ground.onFrame = { try? runtime.received($0) }
        ground.onDrain = { runtime.drain() }
        ground.jobs.handling = { [weak runtime] in runtime?.handling ?? [] }
        ground.skew = self.skew
        self.ground = ground
        ground.connect()
        self.onReady()
    }

    func kill() {
        self.ground?.die()
        self.ground = nil
    }

    func pause() { self.ground?.pause() }
    func resume() { self.ground?.resume() }

    /// Lets a projection commit what it has.
    func drain() { self.ground?.onDrain() }

    var waitsForNothing: Escape? { self.ground?.waitsForNothing }
}
