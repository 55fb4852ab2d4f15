import Events
import Mesh
import ServiceKit

/// What Inventory does about one event: what to remember, and what to tell the others.
struct StockDecision: Hashable, Sendable {
    var changes: [StockChange] = []
    var actions: [StockAction] = []
}

/// One thing that Inventory tells the others, or orders from a supplier.
enum StockAction: Hashable, Sendable {
    case reserved(StockReserved)
    case refused(StockRefused)
    case released(StockReleased)
    case shipped(StockShipped)
    case supplied(StockSupplied)
    case orderSupply(SupplyArrived)
}

/// How much stock there is at first, and when more is ordered.
struct StockPolicy: Sendable, Hashable {
    /// What lies in the warehouse when a product is first seen.
    var stockPerProduct = 1_000_000
    /// More is ordered when less than this is available; 0 for never.
    var reorderPoint = 0
    /// How much is ordered at once.
    var reorderQuantity = 1_000
}

/// Reserves, releases and ships the stock of one partition's products.
///
/// The inputs only read and return a decision; state changes in ``apply(_:)`` alone. A line is
/// reserved whole or refused, and every line that was ever answered stays known: asking again
/// repeats the answer and has no second effect.
struct StockStateMachine: Sendable, Hashable {
    private static let reservedMark: UInt8 = 1
    private static let refusedMark: UInt8 = 2
    private static let finishedMark: UInt8 = 3

    let policy: StockPolicy
    private(set) var products: [ProductID: Stock] = [:]
    private var lines = MarkedIDs()
    private let flaws: Flaws

    init(policy: StockPolicy = StockPolicy(), flaws: Flaws = Flaws()) {
        self.policy = policy
        self.flaws = flaws
    }

    /// What could be reserved of a product.
    func available(_ product: ProductID) -> Int {
        self.products[product]?.available ?? self.policy.stockPerProduct
    }

    // MARK: Inputs

    /// Decides on a line; `available` stands in for what the state says, to plant a stale read.
    func requested(_ event: StockRequested, available: Int? = nil) -> StockDecision {
        let product = event.product
        switch self.lines[event.order.rawValue, part: event.line] {
        case Self.reservedMark:
            let key = OrderLineKey(order: event.order, line: event.line)
            guard let held = self.products[product]?.reservations[key] else { break }
            return StockDecision(actions: [.reserved(self.reserved(event, quantity: held))])
        case Self.refusedMark:
            return StockDecision(actions: [.refused(self.refused(event))])
        case Self.finishedMark:
            // Whoever had it shipped or released knew that it was reserved.
            return StockDecision()
        default: break
        }

        var decision = StockDecision()
        let stock = self.seen(product, &decision)
        guard event.quantity > 0, event.quantity <= available ?? stock.available else {
            decision.changes.append(
                StockChange(.refused, product, order: event.order, line: event.line)
            )
            decision.actions.append(.refused(self.refused(event)))
            return decision
        }
        decision.changes.append(
            StockChange(
                .reserved,
                product,
                quantity: event.quantity,
                order: event.order,
                line: event.line
            )
        )
        decision.actions.append(.reserved(self.reserved(event, quantity: event.quantity)))
        self.reorder(product, stock, left: stock.available - event.quantity, &decision)
        return decision
    }

    func releaseRequested(_ event: StockReleaseRequested) -> StockDecision {
        let key = OrderLineKey(order: event.order, line: event.line)
        guard let held = self.products[event.product]?.reservations[key] else {
            return StockDecision()
        }
        let released = StockReleased(
            order: event.order,
            line: event.line,
            product: event.product,
            quantity: held
        )
        return StockDecision(
            changes: [
                StockChange(.released, event.product, order: event.order, line: event.line)
            ],
            actions: [.released(released)]
        )
    }

    func shipRequested(_ event: StockShipRequested) -> StockDecision {
        let key = OrderLineKey(order: event.order, line: event.line)
        guard let held = self.products[event.product]?.reservations[key] else {
            return StockDecision()
        }
        let shipped = StockShipped(
            order: event.order,
            line: event.line,
            product: event.product,
            quantity: held
        )
        return StockDecision(
            changes: [
                StockChange(.shipped, event.product, order: event.order, line: event.line)
            ],
            actions: [.shipped(shipped)]
        )
    }

    func supplyArrived(_ event: SupplyArrived) -> StockDecision {
        guard var stock = self.products[event.product], stock.supplyUnderWay else {
            return StockDecision()
        }
        var decision = StockDecision(
            changes: [StockChange(.supplied, event.product, quantity: event.quantity)],
            actions: [
                .supplied(StockSupplied(product: event.product, quantity: event.quantity))
            ]
        )
        stock.supplyUnderWay = false
        self.reorder(
            event.product,
            stock,
            left: stock.available + event.quantity,
            &decision
        )
        return decision
    }

    // MARK: Decisions

    private func seen(_ product: ProductID, _ decision: inout StockDecision) -> Stock {
        if let stock = self.products[product] { return stock }
        let quantity = self.policy.stockPerProduct
        decision.changes.append(StockChange(.stocked, product, quantity: quantity))
        return Stock(onHand: quantity)
    }

    private func reorder(
        _ product: ProductID,
        _ stock: Stock,
        left: Int,
        _ decision: inout StockDecision
    ) {
        guard left < self.policy.reorderPoint, !stock.supplyUnderWay else { return }
        decision.changes.append(StockChange(.supplyOrdered, product))
        decision.actions.append(
            .orderSupply(SupplyArrived(product: product, quantity: self.policy.reorderQuantity))
        )
    }

    private func reserved(_ event: StockRequested, quantity: Int) -> StockReserved {
        StockReserved(
            order: event.order,
            line: event.line,
            product: event.product,
            quantity: quantity
        )
    }

    private func refused(_ event: StockRequested) -> StockRefused {
        StockRefused(
            order: event.order,
            line: event.line,
            product: event.product,
            quantity: event.quantity,
            available: max(0, self.available(event.product))
        )
    }

    // MARK: Changes

    mutating func apply(_ change: StockChange) {
        let product = change.product
        let key = OrderLineKey(order: change.order, line: change.line)
        switch change.kind {
        case .stocked: self.products[product] = Stock(onHand: change.quantity)
        case .reserved:
            self.products[product]?.reserve(change.quantity, for: key)
            self.mark(key, Self.reservedMark)
        case .refused: self.mark(key, Self.refusedMark)
        case .released:
            _ = self.products[product]?.unreserve(key)
            self.mark(key, Self.finishedMark)
        case .shipped:
            let quantity = self.products[product]?.unreserve(key) ?? 0
            if !self.flaws.has(.shippedStaysInStock) {
                self.products[product]?.onHand -= quantity
            }
            self.mark(key, Self.finishedMark)
        case .supplyOrdered: self.products[product]?.supplyUnderWay = true
        case .supplied:
            self.products[product]?.supplyUnderWay = false
            self.products[product]?.onHand += change.quantity
        }
    }

    private mutating func mark(_ key: OrderLineKey, _ mark: UInt8) {
        self.lines.mark(key.order.rawValue, part: key.line, as: mark)
    }

    // MARK: Snapshots

    func snapshot() -> [UInt8] {
        var state = InventorySnapshot()
        state.products = self.products.keys.sorted().compactMap { product in
            self.products[product].map { StockSnapshot(product, $0) }
        }
        state.lines = self.lines
        return state.encoded()
    }

    mutating func restore(from snapshot: [UInt8]) throws(WireError) {
        let state = try InventorySnapshot(decoding: snapshot)
        self.products = [:]
        for product in state.products {
            self.products[product.product] =
                self.flaws.has(.reservationsNotRestored)
                ? Stock(onHand: product.onHand) : product.stock
        }
        self.lines = state.lines
    }
}

private struct InventorySnapshot: WireCodable {
    var products: [StockSnapshot] = []
    var lines = MarkedIDs()

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("products", &self.products)
        try coder.field("lines", &self.lines)
    }
}
