import Events
import Mesh
import ServiceKit
import Testing

@testable import InventoryService

/// Asks for stock at random and keeps its own books.
private struct Warehouse {
    var machine: StockStateMachine
    var random: SeededRandom
    var answers: [String: StockAction] = [:]
    var supplied: [ProductID: Int] = [:]
    var shipped: [ProductID: Int] = [:]
    var underWay: [SupplyArrived] = []
    var problems: Set<String> = []
    /// Decides on what was available one request before, as two turns side by side would.
    var readsEarlier = false
    private var earlier: [ProductID: Int] = [:]

    init(seed: UInt64, policy: StockPolicy) {
        self.machine = StockStateMachine(policy: policy)
        self.random = SeededRandom(seed: seed)
    }

    mutating func step() {
        let order = OrderID("order-\(self.random.below(40))")
        let line = self.random.below(2)
        // A line is about one product for ever.
        let number = StableHash.of("\(order)/\(line)") % 3
        let product = ProductID("w1/p-\(number)")
        let quantity = Int(StableHash.of("\(order)-\(line)") % 5) + 1
        switch self.random.below(10) {
        case 0...5:
            let event = StockRequested(
                order: order,
                line: line,
                product: product,
                quantity: quantity
            )
            self.request(event)

        case 6:
            let event = StockReleaseRequested(
                order: order,
                line: line,
                product: product,
                quantity: quantity
            )
            self.take(self.machine.releaseRequested(event))

        case 7, 8:
            let event = StockShipRequested(
                order: order,
                line: line,
                product: product,
                quantity: quantity
            )
            self.take(self.machine.shipRequested(event))

        default:
            guard !self.underWay.isEmpty else { return }
            let arrived = self.underWay.remove(at: self.random.below(self.underWay.count))
            self.take(self.machine.supplyArrived(arrived))
            self.supplied[arrived.product, default: 0] += arrived.quantity
        }
        self.audit()
    }

    private mutating func request(_ event: StockRequested) {
        let current = self.machine.available(event.product)
        let stale = self.earlier.updateValue(current, forKey: event.product)
        let decision = self.machine.requested(
            event,
            available: self.readsEarlier ? stale ?? current : nil
        )
        let name = "\(event.order)/\(event.line)"
        if let before = self.answers[name], let again = decision.actions.first {
            switch (before, again) {
            case (.refused, .refused): break
            default: if before != again { self.problems.insert("answered otherwise") }
            }
            if !decision.changes.isEmpty { self.problems.insert("had a second effect") }
        }
        if let first = decision.actions.first, self.answers[name] == nil {
            self.answers[name] = first
        }
        self.take(decision)
    }

    private mutating func take(_ decision: StockDecision) {
        for change in decision.changes {
            if (try? StockChange(decoding: change.encoded())) != change {
                self.problems.insert("a change does not survive the journal")
            }
            self.machine.apply(change)
        }
        for action in decision.actions {
            switch action {
            case .orderSupply(let event):
                if self.underWay.contains(where: { $0.product == event.product }) {
                    self.problems.insert("ordered twice")
                }
                self.underWay.append(event)

            case .shipped(let event): self.shipped[event.product, default: 0] += event.quantity
            case .reserved, .refused, .released, .supplied: break
            }
        }
    }

    private mutating func audit() {
        for product in self.machine.products.keys.sorted() {
            guard let stock = self.machine.products[product] else { continue }
            let expected =
                self.machine.policy.stockPerProduct + self.supplied[product, default: 0]
                - self.shipped[product, default: 0]
            if stock.onHand != expected { self.problems.insert("stock is not conserved") }
            if stock.reserved != stock.reservations.values.reduce(0, +) {
                self.problems.insert("the reserved sum is wrong")
            }
            if stock.reserved > stock.onHand { self.problems.insert("oversold") }
        }
    }
}

@Suite struct StockStateMachineTests {
    @Test(arguments: 1...30) func `stock is conserved and never oversold, whatever is asked`(
        seed: UInt64
    ) throws {
        let policy = StockPolicy(stockPerProduct: 20, reorderPoint: 6, reorderQuantity: 9)
        var warehouse = Warehouse(seed: seed, policy: policy)
        for _ in 0..<400 { warehouse.step() }
        #expect(warehouse.problems == [])
        #expect(!warehouse.supplied.isEmpty)

        var restored = StockStateMachine(policy: policy)
        try restored.restore(from: warehouse.machine.snapshot())
        #expect(restored == warehouse.machine)
        #expect(restored.snapshot() == warehouse.machine.snapshot())
    }

    @Test func `reading before another turn's changes apply oversells, and the audit sees it`() {
        let policy = StockPolicy(stockPerProduct: 20, reorderPoint: 0, reorderQuantity: 1)
        let found = (UInt64(1)...30).map { seed in
            var warehouse = Warehouse(seed: seed, policy: policy)
            warehouse.readsEarlier = true
            for _ in 0..<400 { warehouse.step() }
            return warehouse.problems
        }
        #expect(found.contains { $0.contains("oversold") })
    }

    @Test func `the last unit goes to the first who asks`() {
        var machine = StockStateMachine(policy: StockPolicy(stockPerProduct: 3))
        let product = ProductID("w1/p-1")
        func ask(_ order: String, _ quantity: Int) -> StockAction? {
            let event = StockRequested(
                order: OrderID(order),
                line: 0,
                product: product,
                quantity: quantity
            )
            let decision = machine.requested(event)
            for change in decision.changes { machine.apply(change) }
            return decision.actions.first
        }
        guard case .reserved(let first)? = ask("order-1", 3) else {
            Issue.record("the first was refused")
            return
        }
        #expect(first.quantity == 3)
        guard case .refused(let second)? = ask("order-2", 1) else {
            Issue.record("the second was not refused")
            return
        }
        #expect(second.available == 0)
        guard case .refused? = ask("order-3", 0) else {
            Issue.record("nothing at all was reserved")
            return
        }
    }

    @Test func `a release or a shipment of what nobody holds changes nothing`() {
        let machine = StockStateMachine()
        let product = ProductID("w1/p-1")
        let release = StockReleaseRequested(
            order: OrderID("order-1"),
            line: 0,
            product: product,
            quantity: 1
        )
        let ship = StockShipRequested(
            order: OrderID("order-1"),
            line: 0,
            product: product,
            quantity: 1
        )
        #expect(machine.releaseRequested(release) == StockDecision())
        #expect(machine.shipRequested(ship) == StockDecision())
        let arrived = SupplyArrived(product: product, quantity: 1)
        #expect(machine.supplyArrived(arrived) == StockDecision())
    }

    @Test func `a product keeps its first stock when the settings change later`() {
        var machine = StockStateMachine(policy: StockPolicy(stockPerProduct: 10))
        let event = StockRequested(
            order: OrderID("order-1"),
            line: 0,
            product: ProductID("w1/p-1"),
            quantity: 4
        )
        var later = StockStateMachine(policy: StockPolicy(stockPerProduct: 99))
        for change in machine.requested(event).changes {
            machine.apply(change)
            later.apply(change)
        }
        #expect(later.available(event.product) == 6)
        #expect(later.available(ProductID("w1/p-2")) == 99)
    }
}
