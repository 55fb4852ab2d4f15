import Events
import Mesh
import OutsideParties
import ServiceKit
import Testing

@testable import AnalyticsService
@testable import InventoryService
@testable import NotificationsService
@testable import OrdersService
@testable import PaymentsService

private let order = OrderID("order-1")
private let customer = CustomerID("customer-1")
private let product = ProductID("w1/p-1")

@Suite struct PaymentsTests {
    private let request = PaymentRequested(
        order: order,
        customer: customer,
        amount: Money(cents: 500)
    )

    @Test func `a charge is captured under the order's id`() throws {
        let stage = Stage<Payments>()
        let captured = try stage.deliver(self.request).events(PaymentCaptured.self)
        #expect(captured.map(\.amount) == [Money(cents: 500)])
        #expect(captured.first?.receipt.isEmpty == false)
        #expect(stage.host.bank.map(\.key) == ["order-1"])
    }

    @Test func `a charge whose answer is lost is tried again and taken once`() throws {
        let stage = Stage<Payments>()
        stage.host.failures = [.timedOut, .unreachable, .malformed]
        for attempt in 1...3 {
            let outcome = try stage.deliver(self.request, attempt: attempt)
            #expect(outcome.failure != nil)
            #expect(outcome.emitted.isEmpty)
        }
        let outcome = try stage.deliver(self.request, attempt: 4)
        #expect(try outcome.events(PaymentCaptured.self).count == 1)
        #expect(stage.host.bank.map(\.kind) == [.capture])
    }

    @Test func `the planted bug charges again with each attempt`() throws {
        let stage = Stage<Payments>(flaws: [.chargeWithoutKey])
        stage.host.failures = [.timedOut]
        _ = try stage.deliver(self.request, attempt: 1)
        _ = try stage.deliver(self.request, attempt: 2)
        #expect(stage.host.bank.map(\.kind) == [.capture, .capture])
    }

    @Test func `a refund gives back what was taken, and says how much`() throws {
        let stage = Stage<Payments>()
        _ = try stage.deliver(self.request)
        let refund = RefundRequested(order: order, amount: Money(cents: 500), reason: "late")
        let refunded = try stage.deliver(refund).events(PaymentRefunded.self)
        #expect(refunded.map(\.amount) == [Money(cents: 500)])
        #expect(stage.host.bank.map(\.kind) == [.capture, .refund])
    }

    @Test func `a refund of what was never charged keeps it from being charged`() throws {
        let stage = Stage<Payments>()
        let refund = RefundRequested(order: order, amount: Money(cents: 500), reason: "late")
        let refunded = try stage.deliver(refund).events(PaymentRefunded.self)
        #expect(refunded.map(\.amount) == [.zero])
        let outcome = try stage.deliver(self.request)
        #expect(try outcome.events(PaymentDeclined.self).count == 1)
        #expect(stage.host.bank.map(\.kind) == [.void])
    }

    @Test func `a key that the bank knows with another amount is an error, not a capture`() throws {
        let stage = Stage<Payments>()
        _ = try stage.deliver(self.request)
        var other = self.request
        other.amount = Money(cents: 501)
        let outcome = try stage.deliver(other)
        #expect(outcome.failure?.contains("$5.01") == true)
        #expect(outcome.emitted.isEmpty)
    }
}

@Suite struct NotificationsTests {
    @Test func `each end is told once, also when the answer is lost`() throws {
        let stage = Stage<Notifications>()
        let confirmed = OrderConfirmed(
            order: order,
            customer: customer,
            total: Money(cents: 123_456),
            receipt: ""
        )
        stage.host.failures = [.timedOut]
        #expect(try stage.deliver(confirmed, attempt: 1).failure != nil)
        let sent = try stage.deliver(confirmed, attempt: 2).events(NotificationSent.self)
        #expect(sent.map(\.kind) == ["confirmed"])
        #expect(sent.first?.message.isEmpty == false)
        #expect(stage.host.mail.map(\.key) == ["order-1-confirmed"])
        #expect(stage.host.mail.first?.customer == customer)
        #expect(stage.host.mail.first?.text.contains("$1,234.56") == true)
    }

    @Test func `a cancelled order's message says why`() throws {
        let stage = Stage<Notifications>()
        let cancelled = OrderCancelled(
            order: order,
            customer: customer,
            total: Money(),
            reason: CancelReason.outOfStock
        )
        #expect(try stage.deliver(cancelled).events(NotificationSent.self).count == 1)
        #expect(stage.host.mail.first?.key == "order-1-cancelled")
        #expect(stage.host.mail.first?.text.contains(CancelReason.outOfStock) == true)
    }
}

@Suite struct OrdersTests {
    private let placed = OrderPlaced(
        order: order,
        customer: customer,
        lines: [OrderLine(product: product, quantity: 2, amount: Money(cents: 500))],
        total: Money(cents: 500)
    )
    private let reserved = StockReserved(order: order, line: 0, product: product, quantity: 2)

    @Test func `a journey leaves the events and the timers that it should`() throws {
        let stage = Stage<Orders>(settings: ["stockTimeout": "5s", "paymentTimeout": "7s"])
        let placed = try stage.deliver(self.placed)
        #expect(try placed.events(StockRequested.self).map(\.subject) == ["w1/p-1"])
        #expect(placed.timersSet.map(\.name) == ["stock-order-1"])
        #expect(placed.timersSet.map(\.due) == [Instant(nanoseconds: 5_000_000_000)])

        let reserved = try stage.deliver(self.reserved)
        #expect(reserved.timersCancelled == ["stock-order-1"])
        #expect(try reserved.events(PaymentRequested.self).map(\.amount) == [Money(cents: 500)])
        #expect(reserved.timersSet.map(\.due) == [Instant(nanoseconds: 7_000_000_000)])

        let paid = PaymentCaptured(order: order, amount: Money(cents: 500), receipt: "r")
        let captured = try stage.deliver(paid)
        #expect(captured.timersCancelled == ["payment-order-1"])
        #expect(try captured.events(OrderConfirmed.self).map(\.receipt) == ["r"])
        #expect(try captured.events(StockShipRequested.self).map(\.quantity) == [2])
        let ids = (placed.emitted + reserved.emitted + captured.emitted).map(\.id)
        #expect(Set(ids).count == ids.count)
    }

    @Test func `a service restored from its snapshot goes on where the other stopped`() throws {
        let first = Stage<Orders>()
        _ = try first.deliver(self.placed)
        let snapshot = first.service.assumeIsolated { $0.snapshot() }

        let second = Stage<Orders>()
        try second.service.assumeIsolated { try $0.restore(from: snapshot) }
        let outcome = try second.deliver(self.reserved)
        #expect(try outcome.events(PaymentRequested.self).count == 1)
        #expect(throws: WireError.self) {
            try second.service.assumeIsolated { try $0.restore(from: [1]) }
        }
    }

    @Test func `the stock and the money of an overdue order go back`() throws {
        let stage = Stage<Orders>()
        _ = try stage.deliver(self.placed)
        _ = try stage.deliver(self.reserved)
        let outcome = try stage.deliver(PaymentOverdue(order: order))
        #expect(try outcome.events(RefundRequested.self).count == 1)
        #expect(try outcome.events(StockReleaseRequested.self).count == 1)
        let reason = try outcome.events(OrderCancelled.self).map(\.reason)
        #expect(reason == [CancelReason.paymentOverdue])
    }

    @Test func `the planted bug forgets the stock of a declined order`() throws {
        let stage = Stage<Orders>(flaws: [.lostCompensation])
        _ = try stage.deliver(self.placed)
        _ = try stage.deliver(self.reserved)
        let declined = PaymentDeclined(order: order, amount: Money(cents: 500), reason: "")
        let outcome = try stage.deliver(declined)
        #expect(try outcome.events(OrderCancelled.self).count == 1)
        #expect(try outcome.events(StockReleaseRequested.self).isEmpty)
    }

    @Test func `a wrong setting is logged by name`() {
        let stage = Stage<Orders>(settings: ["stockTimeout": 5, "paymentTimout": "5s"])
        #expect(stage.host.lines.count == 2)
        #expect(stage.host.lines.first?.contains("settings.stockTimeout") == true)
        #expect(stage.host.lines.last?.contains("settings.paymentTimout") == true)
    }
}

@Suite struct InventoryTests {
    private func request(_ number: Int, _ quantity: Int) -> StockRequested {
        StockRequested(
            order: OrderID("order-\(number)"),
            line: 0,
            product: product,
            quantity: quantity
        )
    }

    @Test func `stock that runs low is ordered once, arrives, and is sold again`() throws {
        let stage = Stage<Inventory>(
            settings: [
                "stockPerProduct": 10, "reorderPoint": 5, "reorderQuantity": 20,
                "leadTime": "3s", "products": 4, "warehouses": 2,
            ]
        )
        #expect(stage.host.lines.isEmpty)
        #expect(try stage.deliver(self.request(1, 5)).timersSet.isEmpty)
        let low = try stage.deliver(self.request(2, 1))
        #expect(low.timersSet.map(\.name) == ["supply-w1/p-1"])
        #expect(low.timersSet.map(\.due) == [Instant(nanoseconds: 3_000_000_000)])
        #expect(try stage.deliver(self.request(3, 4)).timersSet.isEmpty)
        let refused = try stage.deliver(self.request(4, 1)).events(StockRefused.self)
        #expect(refused.map(\.available) == [0])

        let timer = try #require(low.timersSet.first)
        let arrived = try SupplyArrived(decoding: timer.event.data)
        #expect(timer.event.subject == "w1/p-1")
        let supplied = try stage.deliver(arrived).events(StockSupplied.self)
        #expect(supplied.map(\.quantity) == [20])
        #expect(try stage.deliver(self.request(5, 20)).events(StockReserved.self).count == 1)
    }

    @Test func `the planted bug sells the last unit twice`() throws {
        for (flaws, sold) in [([], 1), ([Flaw.oversell], 2)] {
            let stage = Stage<Inventory>(settings: ["stockPerProduct": 1], flaws: flaws)
            let outcomes = try (1...3).map { try stage.deliver(self.request($0, 1)) }
            let reserved = try outcomes.flatMap { try $0.events(StockReserved.self) }
            #expect(reserved.count == sold)
        }
    }

    @Test func `a service restored from its snapshot knows every reservation`() throws {
        let first = Stage<Inventory>(settings: ["stockPerProduct": 3])
        _ = try first.deliver(self.request(1, 3))
        let snapshot = first.service.assumeIsolated { $0.snapshot() }
        let second = Stage<Inventory>(settings: ["stockPerProduct": 3])
        try second.service.assumeIsolated { try $0.restore(from: snapshot) }
        #expect(try second.deliver(self.request(2, 1)).events(StockRefused.self).count == 1)
        let release = StockReleaseRequested(
            order: order,
            line: 0,
            product: product,
            quantity: 3
        )
        #expect(try second.deliver(release).events(StockReleased.self).count == 1)
        #expect(try second.deliver(self.request(3, 3)).events(StockReserved.self).count == 1)
    }
}

@Suite struct AnalyticsTests {
    @Test func `what was handled is in the snapshot`() throws {
        let first = Stage<Analytics>(settings: ["windowsKept": 3])
        let placed = OrderPlaced(
            order: order,
            customer: customer,
            lines: [OrderLine(product: product, quantity: 2, amount: Money(cents: 500))],
            total: Money(cents: 500)
        )
        _ = try first.deliver(placed)
        let shipped = StockShipped(order: order, line: 0, product: product, quantity: 2)
        _ = try first.deliver(shipped)
        let snapshot = first.service.assumeIsolated { $0.snapshot() }

        var figures = SalesFigures(windowsMax: 3)
        try figures.restore(from: snapshot)
        let report = figures.report(partition: 0)
        #expect(report.ordersPlaced == 1 && report.unitsOrdered == 2)
        #expect(report.topProducts == [ProductUnits(product: product, units: 2)])
    }
}

@Suite struct HandlerTests {
    @Test func `only what asks an outside party may suspend`() {
        #expect(Stage<Orders>.immediate == Orders.consumes.map(\.type))
        #expect(Stage<Inventory>.immediate == Inventory.consumes.map(\.type))
        #expect(Stage<Analytics>.immediate == Analytics.consumes.map(\.type))
        #expect(Stage<Payments>.immediate == [])
        #expect(Stage<Notifications>.immediate == [])
    }

    @Test func `every event that is handled or emitted is in the catalogue`() throws {
        let types = EventCatalogue.all.map { $0.type }
        #expect(Set(types).count == types.count)
        let handled =
            Orders.consumes.map(\.type) + Inventory.consumes.map(\.type)
            + Payments.consumes.map(\.type) + Notifications.consumes.map(\.type)
            + Analytics.consumes.map(\.type)
        #expect(Set(handled).subtracting(types) == [])
        let data = StockOverdue(order: order).encoded()
        let json = try EventCatalogue.json(type: StockOverdue.type, data: data)
        #expect(json == ["order": "order-1"])
        #expect(try EventCatalogue.json(type: "weather.changed.v1", data: data) == nil)
    }
}
