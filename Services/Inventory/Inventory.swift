import Events
import Mesh
public import ServiceKit

/// Sets stock aside for the lines of orders, ships it or takes it back, and orders more.
///
/// Its subject is a product in a warehouse. A product that was never seen before has
/// `stockPerProduct` units; when fewer than `reorderPoint` are available, `reorderQuantity` more
/// arrive after `leadTime`.
public actor Inventory: Service {
    /// The service's name in the topology file.
    public static let name = "inventory"
    /// Which events it handles.
    public static let consumes: [Subscription<Inventory>] = [
        .on(StockRequested.self) { inventory, event, turn in
            inventory.follow(turn) { inventory.requested(event) }
        },
        .on(StockReleaseRequested.self) { inventory, event, turn in
            inventory.follow(turn) { inventory.machine.releaseRequested(event) }
        },
        .on(StockShipRequested.self) { inventory, event, turn in
            inventory.follow(turn) { inventory.machine.shipRequested(event) }
        },
        .on(SupplyArrived.self) { inventory, event, turn in
            inventory.follow(turn) { inventory.machine.supplyArrived(event) }
        },
    ]
    /// A snapshot for every 2000 commits.
    public static let snapshotInterval = 2000

    /// What the service knows of the world.
    public nonisolated let host: any Host
    private let leadTime: Duration
    private var machine: StockStateMachine
    /// What was available before the turn before, by product; only with the bug planted.
    private var readEarlier: [ProductID: Int] = [:]

    /// Creates the service without products.
    public init(host: any Host) {
        self.host = host
        var settings = Settings(host.settings)
        var policy = StockPolicy()
        policy.stockPerProduct = settings.count(
            "stockPerProduct",
            default: policy.stockPerProduct
        )
        policy.reorderPoint = settings.count("reorderPoint", default: policy.reorderPoint)
        policy.reorderQuantity = settings.count(
            "reorderQuantity",
            default: policy.reorderQuantity,
            in: 1...1_000_000_000
        )
        self.leadTime = settings.duration("leadTime", default: .seconds(5))
        // The shoppers' side of the catalogue.
        settings.ignore(["products", "warehouses"])
        self.machine = StockStateMachine(policy: policy, flaws: host.flaws)
        for problem in settings.problems() { host.log(.error, "\(problem); using the default") }
    }

    private func follow(_ turn: Turn<Inventory>, _ input: () -> StockDecision) {
        turn.decide {
            let decision = input()
            for change in decision.changes { turn.record(change) }
            for action in decision.actions { self.perform(action, turn) }
        }
    }

    private func requested(_ event: StockRequested) -> StockDecision {
        guard self.host.flaws.has(.oversell) else { return self.machine.requested(event) }
        // The planted bug: two turns side by side, each of which read before the other decided.
        let current = self.machine.available(event.product)
        let stale = self.readEarlier.updateValue(current, forKey: event.product)
        return self.machine.requested(event, available: stale ?? current)
    }

    private func perform(_ action: StockAction, _ turn: Turn<Inventory>) {
        switch action {
        case .reserved(let event): turn.emit(event)
        case .refused(let event): turn.emit(event)
        case .released(let event): turn.emit(event)
        case .shipped(let event): turn.emit(event)
        case .supplied(let event): turn.emit(event)
        case .orderSupply(let event):
            turn.schedule(event, after: self.leadTime, name: "supply-\(event.product)")
        }
    }

    /// Changes the state.
    public func apply(_ change: StockChange) {
        self.machine.apply(change)
    }

    /// Returns the stock of every product and the lines already answered.
    public func snapshot() -> [UInt8] { self.machine.snapshot() }

    /// Replaces the state by a snapshot's.
    public func restore(from snapshot: [UInt8]) throws {
        try self.machine.restore(from: snapshot)
    }
}
