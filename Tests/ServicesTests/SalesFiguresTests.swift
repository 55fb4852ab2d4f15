import Events
import Mesh
import Testing

@testable import AnalyticsService

@Suite struct SalesFiguresTests {
    private enum Sale {
        case placed(OrderPlaced, Instant)
        case captured(PaymentCaptured, Instant)
        case cancelled(OrderCancelled)
        case shipped(StockShipped)
    }

    private func sales(_ count: Int, seed: UInt64) -> [Sale] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { number in
            let order = OrderID("order-\(number)")
            let time = Instant(nanoseconds: Int64(random.below(40 * 60)) * 1_000_000_000)
            let product = ProductID("w1/p-\(random.below(15))")
            switch random.below(4) {
            case 0:
                let line = OrderLine(product: product, quantity: 2, amount: Money(cents: 5))
                let event = OrderPlaced(
                    order: order,
                    customer: CustomerID("c"),
                    lines: [line, line],
                    total: Money(cents: 10)
                )
                return .placed(event, time)

            case 1:
                let amount = Money(cents: Int64(random.below(1000)))
                return .captured(
                    PaymentCaptured(order: order, amount: amount, receipt: ""),
                    time
                )

            case 2:
                let event = OrderCancelled(
                    order: order,
                    customer: CustomerID("c"),
                    total: Money(),
                    reason: "reason \(random.below(3))"
                )
                return .cancelled(event)

            default:
                let quantity = random.below(9) + 1
                return .shipped(
                    StockShipped(order: order, line: 0, product: product, quantity: quantity)
                )
            }
        }
    }

    private func figures(_ sales: [Sale], windowsMax: Int) -> SalesFigures {
        var figures = SalesFigures(windowsMax: windowsMax)
        for sale in sales {
            switch sale {
            case .placed(let event, let time): figures.placed(event, at: time)
            case .captured(let event, let time): figures.captured(event, at: time)
            case .cancelled(let event): figures.cancelled(event)
            case .shipped(let event): figures.shipped(event)
            }
        }
        return figures
    }

    @Test(arguments: 1...10) func `figures do not depend on the order of the events`(
        seed: UInt64
    ) {
        let sales = self.sales(600, seed: seed)
        var random = SeededRandom(seed: seed)
        let shuffled = sales.shuffled(using: &random)
        let report = self.figures(sales, windowsMax: 7).report(partition: 1)
        #expect(self.figures(shuffled, windowsMax: 7).report(partition: 1) == report)
        #expect(report.windows.count == 7)
    }

    @Test func `kept and earlier windows together count everything once`() {
        let sales = self.sales(600, seed: 3)
        let all = self.figures(sales, windowsMax: 100).report(partition: 0)
        let few = self.figures(sales, windowsMax: 4).report(partition: 0)
        #expect(all.earlier.orders == 0)
        #expect(few.windows == Array(all.windows.suffix(4)))
        #expect(few.windows.reduce(few.earlier.orders) { $0 + $1.orders } == all.ordersPlaced)
        let revenue = few.windows.reduce(few.earlier.revenue) { $0 + $1.revenue }
        #expect(revenue == all.captured)
    }

    @Test func `a report equals a recount`() {
        let sales = self.sales(600, seed: 4)
        let report = self.figures(sales, windowsMax: 100).report(partition: 2)
        var units: [ProductID: Int] = [:]
        var cents: Int64 = 0
        var placed = 0
        var cancelled = 0
        for sale in sales {
            switch sale {
            case .placed: placed += 1
            case .captured(let event, _): cents += event.amount.rawValue
            case .cancelled: cancelled += 1
            case .shipped(let event): units[event.product, default: 0] += event.quantity
            }
        }
        #expect(report.subject == "analytics/2")
        #expect(report.ordersPlaced == placed && report.unitsOrdered == placed * 4)
        #expect(report.captured == Money(cents: cents))
        #expect(report.ordersCancelled == cancelled)
        #expect(report.reasons.map(\.orders).reduce(0, +) == cancelled)
        #expect(report.reasons.map(\.reason) == ["reason 0", "reason 1", "reason 2"])
        #expect(report.unitsShipped == units.values.reduce(0, +))
        #expect(report.topProducts.count == 10)
        #expect(report.topProducts.allSatisfy { units[$0.product] == $0.units })
        let least = report.topProducts.last?.units ?? 0
        let left = units.filter { unit in
            !report.topProducts.contains { $0.product == unit.key }
        }
        #expect(left.values.allSatisfy { $0 <= least })
    }

    @Test func `a snapshot restores the figures, and equal figures have equal snapshots`() throws {
        let sales = self.sales(300, seed: 5)
        let figures = self.figures(sales, windowsMax: 5)
        var restored = SalesFigures(windowsMax: 5)
        try restored.restore(from: figures.snapshot())
        #expect(restored.report(partition: 0) == figures.report(partition: 0))
        #expect(restored.snapshot() == figures.snapshot())
    }

    @Test func `a report survives its binary and its JSON form`() throws {
        let report = self.figures(self.sales(300, seed: 6), windowsMax: 5).report(partition: 3)
        #expect(try SalesReported(decoding: report.encoded()) == report)
        #expect(try SalesReported(json: report.json) == report)
    }

    @Test func `reasons without end are counted together after a while`() {
        var figures = SalesFigures(windowsMax: 5)
        for number in 1...100 {
            let event = OrderCancelled(
                order: OrderID("order-\(number)"),
                customer: CustomerID("c"),
                total: Money(),
                reason: "because of \(number)"
            )
            figures.cancelled(event)
        }
        let reasons = figures.report(partition: 0).reasons
        #expect(reasons.count == 33)
        #expect(reasons.map(\.orders).reduce(0, +) == 100)
    }
}
