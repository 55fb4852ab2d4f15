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
        let ground = Ground(shop: self.shop, name: self.name, start: self.starts)
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
