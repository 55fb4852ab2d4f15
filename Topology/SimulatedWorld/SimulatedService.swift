import Chaos
import Mesh

/// The process of one instance of a service: the real runtime and actors, simulated ground.
final class SimulatedService: SimulatedProcess {
    let name: String
    private let shop: SimulatedShop
    private let service: ServiceCatalogue.Entry
    private var ground: Ground?
    private var starts = 0
    var skew = Duration.zero {
        didSet { self.ground?.skew = self.skew }
    }
    var onReady: () -> Void = {}
    var onExit: (ProcessEnd) -> Void = { _ in }

    init(_ service: ServiceCatalogue.Entry, shop: SimulatedShop, instance: String) {
        self.service = service
        self.shop = shop
        self.name = instance
    }

    var isUp: Bool { self.ground != nil }

    func start() {
        guard self.ground == nil else { return }
        self.starts += 1
        let ground = Ground(shop: self.shop, name: self.name, start: self.starts)
        self.service.start(self.name, ground)
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
