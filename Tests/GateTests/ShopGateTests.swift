import Chaos
import Events
import Mesh
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

/// What the shop's events cost, and a simulated run of it; see ``MeshGateTests``.
@Suite("Gates of the shop", .enabled(if: Cost.isCounted))
struct ShopGateTests {
    @Test func `an event is read with no more allocations than its texts and lists need`() throws {
        let line = OrderLine(
            product: ProductID(rawValue: "umbrella-black"),
            quantity: 2,
            amount: Money(cents: 3998)
        )
        let bytes = OrderPlaced(
            order: OrderID(rawValue: "order-1"),
            customer: CustomerID(rawValue: "customer-1"),
            lines: [line, line],
            total: Money(cents: 7996)
        ).encoded()
        var cost = Cost()
        _ = try OrderPlaced(decoding: bytes)
        try cost.count { for _ in 1...100 { _ = try OrderPlaced(decoding: bytes) } }
        cost.expect(.allocations, of: "an order of two lines", 100, atMost: 1)
    }

    @Test func `a simulated run, and judging it, cost no more than they did`() throws {
        _ = try self.run(orders: 10)
        var cost = Cost()
        let shop = try cost.count { try self.run(orders: 100) }
        var count = 0
        try self.read(shop) { count += $0.events.count }
        #expect(count > 1000)
        cost.expect(.allocations, of: "an event of the run", count, atMost: 146)

        let layout = shop.topology.layout
        let judge = Judge(layout: layout)
        cost = Cost()
        try cost.count { try self.read(shop) { judge.observe($0) } }
        cost.expect(.allocations, of: "an event that is judged", count, atMost: 21.5)

        var fold = RunFold(layout: layout)
        cost = Cost()
        try cost.count { try self.read(shop) { fold.observed($0) } }
        cost.expect(.allocations, of: "an event in the figures", count, atMost: 5.8)
    }

    private func run(orders: Int) throws -> SimulatedShop {
        let shop = SimulatedShop(topology: try shopTopology(), orders: orders, seed: 42)
        shop.start()
        try shop.runToRest()
        shop.end()
        return shop
    }

    /// Passes the log, record by record, to `body`, as whoever judges a run reads it.
    private func read(_ shop: SimulatedShop, _ body: (RecordView) -> Void) throws(LogError) {
        var follower = LogFollower()
        var record = RecordView()
        var piece: LogFollower.Piece?
        while try follower.next(into: &record, from: shop.disk, in: &piece) { body(record) }
    }
}
