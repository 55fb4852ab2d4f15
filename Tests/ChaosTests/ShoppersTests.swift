import Chaos
import Events
import Mesh
import OutsideParties
import Testing

@Suite struct ShoppersTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    private func plan(_ edit: (inout LoadPlan) -> Void = { _ in }) -> LoadPlan {
        var plan = LoadPlan()
        plan.rate = OrderRate(perSecond: 100)
        edit(&plan)
        return plan
    }

    @Test func `the same seed places the same orders, however often it is asked`() {
        var often = Shoppers(load: self.plan(), seed: 7, start: self.start)
        var once = Shoppers(load: self.plan(), seed: 7, start: self.start)
        var other = Shoppers(load: self.plan(), seed: 8, start: self.start)
        var orders: [PlannedOrder] = []
        for step in 1...1000 {
            orders += often.due(now: self.start + .milliseconds(10 * step))
        }
        #expect(orders == once.due(now: self.start + .seconds(10)))
        #expect(orders != other.due(now: self.start + .seconds(10)))
        #expect(orders.map(\.sequence) == (1...UInt64(orders.count)).map { $0 })
        #expect(orders[41].order.order == "order-42")
    }

    @Test(arguments: [1, 3, 10, 333, 1000, 50_000])
    func `a long span has exactly as many orders as the rate says`(perSecond: Int) {
        let plan = self.plan { $0.rate = OrderRate(perSecond: perSecond) }
        var shoppers = Shoppers(load: plan, seed: 1, start: self.start)
        let seconds = max(3, 1000 / perSecond)
        let count = shoppers.due(now: self.start + .seconds(seconds)).count
        #expect(abs(count - perSecond * seconds) <= 1)
    }

    @Test func `orders are due in order, at the instant that was announced`() {
        var shoppers = Shoppers(load: self.plan(), seed: 3, start: self.start)
        var last = self.start
        for _ in 0..<500 {
            guard let next = shoppers.nextDue else { return #expect(Bool(false), "it ended") }
            #expect(next >= last)
            let early = Instant(nanoseconds: next.nanoseconds - 1)
            #expect(shoppers.due(now: early).isEmpty)
            let orders = shoppers.due(now: next)
            #expect(orders.first?.intended == next)
            last = next
        }
    }

    @Test func `the gaps between orders vary`() {
        var shoppers = Shoppers(load: self.plan(), seed: 3, start: self.start)
        let times = shoppers.due(now: self.start + .seconds(10)).map(\.intended.nanoseconds)
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect((gaps.min() ?? 0) < 2_000_000)
        #expect((gaps.max() ?? 0) > 18_000_000)
    }

    @Test func `a spike of the plan multiplies the rate while it lasts`() {
        let plan = self.plan {
            $0.spike = LoadPlan.Spike(times: 5, at: .seconds(2), for: .seconds(1))
        }
        var shoppers = Shoppers(load: plan, seed: 4, start: self.start)
        #expect(abs(shoppers.due(now: self.start + .seconds(2)).count - 200) <= 1)
        #expect(abs(shoppers.due(now: self.start + .seconds(3)).count - 500) <= 1)
        #expect(abs(shoppers.due(now: self.start + .seconds(4)).count - 100) <= 1)
    }

    @Test func `a spike by command begins now and ends by itself`() {
        var shoppers = Shoppers(load: self.plan(), seed: 4, start: self.start)
        let now = self.start + .seconds(1)
        shoppers.spike(times: 10, for: .seconds(5), now: now)
        #expect(shoppers.rate(at: now).description == "1000/s")
        #expect(abs(shoppers.due(now: now).count - 100) <= 1)
        #expect(abs(shoppers.due(now: now + .seconds(5)).count - 5000) <= 1)
        #expect(abs(shoppers.due(now: now + .seconds(6)).count - 100) <= 1)
    }

    @Test func `a new rate counts from now on, and from nothing again to something`() {
        var shoppers = Shoppers(load: self.plan(), seed: 4, start: self.start)
        let now = self.start + .seconds(1)
        shoppers.setRate(.zero, now: now)
        #expect(abs(shoppers.due(now: now + .seconds(60)).count - 100) <= 1)
        #expect(shoppers.nextDue == nil)
        #expect(!shoppers.isFinished)
        shoppers.setRate(OrderRate(perSecond: 20), now: now + .seconds(60))
        #expect(abs(shoppers.due(now: now + .seconds(70)).count - 200) <= 1)
    }

    @Test func `a ramp places half as many orders as the full rate would`() {
        let plan = self.plan { $0.ramp = .seconds(10) }
        var shoppers = Shoppers(load: plan, seed: 4, start: self.start)
        let count = shoppers.due(now: self.start + .seconds(10)).count
        // A hundred steps: half a step above the half.
        #expect(abs(count - 505) <= 2)
        #expect(abs(shoppers.due(now: self.start + .seconds(11)).count - 100) <= 1)
    }

    @Test func `a load ends after its duration or its last order`() {
        let timed = self.plan { $0.duration = .seconds(2) }
        var shoppers = Shoppers(load: timed, seed: 4, start: self.start)
        #expect(abs(shoppers.due(now: self.start + .seconds(9)).count - 200) <= 1)
        #expect(shoppers.isFinished)
        #expect(shoppers.nextDue == nil)

        let numbered = self.plan { $0.ordersMax = 7 }
        shoppers = Shoppers(load: numbered, seed: 4, start: self.start)
        #expect(!shoppers.isFinished)
        #expect(shoppers.due(now: self.start + .seconds(9)).count == 7)
        #expect(shoppers.isFinished)

        shoppers = Shoppers(load: self.plan(), seed: 4, start: self.start)
        shoppers.stop(now: self.start)
        #expect(shoppers.due(now: self.start + .seconds(9)).isEmpty)
        #expect(shoppers.isFinished)
    }

    @Test func `orders add up and hot products get their share`() {
        let plan = self.plan {
            $0.catalogue = Catalogue(products: 50, warehouses: 2)
            $0.hotProducts = LoadPlan.HotProducts(sharePercent: 80, count: 2)
            $0.linesMax = 4
        }
        var shoppers = Shoppers(load: plan, seed: 4, start: self.start)
        let orders = shoppers.due(now: self.start + .seconds(100)).map(\.order)
        var lines = 0
        var hot = 0
        for order in orders {
            #expect((1...4).contains(order.lines.count))
            #expect(order.lines.reduce(.zero) { $0 + $1.amount } == order.total)
            #expect(order.lines.allSatisfy { $0.quantity >= 1 && $0.amount > .zero })
            lines += order.lines.count
            hot +=
                order.lines.filter { ["p-1", "p-2"].contains($0.product.rawValue.dropFirst(3)) }
                .count
        }
        // 80 % by choice and 2 of 50 of the rest by chance.
        let percent = hot * 100 / lines
        #expect((79...82).contains(percent), "\(percent) %")
        #expect(Set(orders.flatMap(\.lines).map(\.product)).count == 100)
    }

    // MARK: Ledger

    @Test func `the ledger gives back what was sent and what became of it`() throws {
        var shoppers = Shoppers(load: self.plan { $0.ordersMax = 4 }, seed: 4, start: self.start)
        let orders = shoppers.due(now: self.start + .seconds(9))
        let disk = MemoryDisk()
        var writer = ShoppersLedgerWriter(disk: disk)
        for order in orders { writer.sent(order) }
        try writer.flush()
        #expect(try ShoppersLedger(reading: disk).count(.unknown) == 4)
        writer.refused(sequence: 2, reason: "too large")
        writer.accepted(upTo: 3)
        #expect(try ShoppersLedger(reading: disk).count(.accepted) == 0)
        try writer.sync()
        #expect(disk.syncs == [ShoppersLedger.fileName])

        let ledger = try ShoppersLedger(reading: disk)
        #expect(ledger.entries.map(\.outcome) == [.accepted, .refused, .accepted, .unknown])
        #expect(ledger.entries.map(\.intended) == orders.map(\.intended))
        #expect(ledger["order-3"]?.total == orders[2].order.total)
        #expect(ledger["order-3"]?.quantity == orders[2].order.lines.reduce(0) { $0 + $1.quantity })
        #expect(ledger["order-9"] == nil)
    }

    @Test func `without room no order is placed, and those turned away count as refused`() throws {
        var shoppers = Shoppers(load: self.plan { $0.ordersMax = 9 }, seed: 4, start: self.start)
        let orders = shoppers.due(now: self.start + .seconds(9))
        let disk = MemoryDisk()
        var writer = ShoppersLedgerWriter(disk: disk)
        let hasRoom = writer.hasRoom(for: orders, now: self.start)
        #expect(hasRoom)
        for order in orders.prefix(2) { writer.sent(order) }
        try writer.flush()

        disk.capacity = disk.size(of: ShoppersLedger.fileName) + 100
        // What was put aside for the first orders is used up at some time; here at once.
        var full = ShoppersLedgerWriter(disk: disk)
        let isPlaced = full.hasRoom(for: Array(orders.suffix(7)), now: self.start)
        #expect(!isPlaced)
        #expect(full.isFull)
        full.turnedAway(7)
        try full.flush()
        #expect(try ShoppersLedger(reading: disk).count(.refused) == 0)
        disk.capacity = .max
        let hasRoomAgain = full.hasRoom(for: [], now: self.start + .seconds(1))
        #expect(hasRoomAgain)
        try full.sync()
        let ledger = try ShoppersLedger(reading: disk)
        #expect(ledger.count(.refused) == 7)
        #expect(ledger.count(.unknown) == 2)
        #expect(ledger.entries.count == 2)
    }

    @Test func `a write that was cut short leaves nothing, and is made again whole`() throws {
        var shoppers = Shoppers(load: self.plan { $0.ordersMax = 3 }, seed: 4, start: self.start)
        let disk = MemoryDisk()
        var writer = ShoppersLedgerWriter(disk: disk)
        for order in shoppers.due(now: self.start + .seconds(9)) { writer.sent(order) }
        disk.capacity = 150
        do {
            try writer.flush()
            Issue.record("150 bytes took three orders")
        } catch {
            #expect(error.code == .full)
        }
        #expect(disk.size(of: ShoppersLedger.fileName) == 0)
        disk.capacity = .max
        try writer.flush()
        #expect(try ShoppersLedger(reading: disk).entries.count == 3)
    }

    @Test func `an order is known by the number that the mesh has for it`() throws {
        var shoppers = Shoppers(load: self.plan { $0.ordersMax = 9 }, seed: 4, start: self.start)
        let orders = shoppers.due(now: self.start + .seconds(9))
        let disk = MemoryDisk()
        var writer = ShoppersLedgerWriter(disk: disk)
        writer.sent(orders[0], as: 1)
        writer.turnedAway(1)
        writer.sent(orders[2], as: 2)
        writer.accepted(upTo: 2)
        try writer.sync()
        let ledger = try ShoppersLedger(reading: disk)
        #expect(ledger["order-3"]?.outcome == .accepted)
        #expect(ledger["order-2"] == nil)
        #expect(ledger.count(.refused) == 1)
    }

    @Test func `a last line that was cut short is left out, a garbled one is named`() throws {
        var shoppers = Shoppers(load: self.plan { $0.ordersMax = 3 }, seed: 4, start: self.start)
        let disk = MemoryDisk()
        var writer = ShoppersLedgerWriter(disk: disk)
        for order in shoppers.due(now: self.start + .seconds(9)) { writer.sent(order) }
        try writer.flush()
        let file = ShoppersLedger.fileName
        let whole = disk.files[file] ?? []
        disk.files[file] = Array(whole.dropLast(9))
        #expect(try ShoppersLedger(reading: disk).entries.count == 2)
        disk.files[file] = whole
        let second = (whole.firstIndex(of: 0x0A) ?? 0) + 20
        disk.files[file]?[second] ^= 1
        let error = #expect(throws: LedgerError.self) { try ShoppersLedger(reading: disk) }
        #expect(error?.description.hasPrefix("shoppers.ledger:2: ") == true)
    }
}
