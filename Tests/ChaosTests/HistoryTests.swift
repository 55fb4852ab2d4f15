import Chaos
import Events
import Foundation
import Mesh
import Testing

@Suite struct HistoryTests {
    private func cdnow() throws -> History {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Topology/histories/cdnow.csv")
        return try History(parsing: Array(try Data(contentsOf: file)), file: "cdnow.csv")
    }

    @Test func `the music shop's history adds up to what is known of it`() throws {
        let history = try self.cdnow()
        #expect(history.rows.count == 69_659)
        #expect(history.customerCount == 23_570)
        #expect(history.quantity == 167_881)
        #expect(history.amount.description == "$2,500,315.63")
        #expect(history.rows.filter { $0.amount == .zero }.count == 80)
        struct Purchase: Hashable {
            var customer: String
            var day: Int
            var quantity: Int
            var amount: Money
        }
        let different = Set(
            history.rows.map {
                Purchase(
                    customer: $0.customer,
                    day: $0.day,
                    quantity: $0.quantity,
                    amount: $0.amount
                )
            }
        )
        #expect(history.rows.count - different.count == 255)
        #expect(Set(history.rows.map(\.number)).count == 69_659)
        // 1997-01-01 and 1998-06-30, in days since 1970.
        #expect(history.rows.first?.day == 9862)
        #expect(history.rows.last?.day == 10_407)
    }

    @Test func `rows are played by date, those of a day in the file's order`() throws {
        let text = """
            customer,date,quantity,dollars
            b,1997-01-03,1,1.00
            a,1997-01-01,2,20.50
            c,1997-01-03,3,0.07
            a,1997-01-01,1,7

            """
        let history = try History(parsing: Array(text.utf8), file: "h.csv")
        #expect(history.rows.map(\.number) == [2, 4, 1, 3])
        let start = Instant(nanoseconds: 1_000)
        var player = HistoryPlayer(
            history,
            speed: .times(86_400),
            catalogue: Catalogue(products: 3),
            start: start
        )
        var orders: [PlannedOrder] = []
        while let due = player.nextDue { orders += player.due(now: due) }
        #expect(player.isFinished)
        #expect(orders.map(\.order.order.rawValue) == ["order-2", "order-4", "order-1", "order-3"])
        #expect(orders.map(\.sequence) == [1, 2, 3, 4])
        // A day a second; two orders a day are half a day apart.
        #expect(
            orders.map { ($0.intended - start).inMilliseconds } == [0, 500, 2000, 2500]
        )
        #expect(orders[0].order.total == Money(cents: 2050))
        #expect(orders[1].order.total == Money(cents: 700))
        #expect(orders[3].order.total == Money(cents: 7))
        #expect(orders[0].order.lines.map(\.quantity) == [2])
    }

    @Test func `at full speed the window decides what is sent`() throws {
        let history = try self.cdnow()
        var player = HistoryPlayer(
            history,
            speed: .max,
            catalogue: Catalogue(),
            start: .zero,
            windowMax: 100
        )
        let now = Instant(nanoseconds: 77)
        let first = player.due(now: now)
        #expect(first.count == 100)
        #expect(first.allSatisfy { $0.intended == now })
        #expect(player.due(now: now, unacknowledged: 100).isEmpty)
        #expect(player.due(now: now, unacknowledged: 40).count == 60)
        #expect(player.orderCount == 160)
        #expect(!player.isFinished)
        player.stop()
        #expect(player.isFinished)
        #expect(player.nextDue == nil)
    }

    @Test func `the same row is always the same order of the same product`() throws {
        let history = try self.cdnow()
        let catalogue = Catalogue(products: 20, warehouses: 2)
        let products = history.rows.map {
            history.order($0, catalogue: catalogue).lines[0].product
        }
        #expect(
            products
                == history.rows.map { history.order($0, catalogue: catalogue).lines[0].product }
        )
        #expect(Set(products).count == 40)
    }

    @Test(arguments: [
        ("", "h.csv:1:1: the file is empty"),
        ("name,date\n", "h.csv:1:1: the heading must be"),
        ("a,1997-01-01,1\n", "h.csv:2:1: a row has 4 fields, this one has 3"),
        (",1997-01-01,1,1.00\n", "h.csv:2:1: a customer must be given"),
        ("a,1997-02-30,1,1.00\n", "h.csv:2:3: a date is written"),
        ("a,1997-1-1,1,1.00\n", "h.csv:2:3: a date is written"),
        ("a,9999-01-01,1,1.00\n", "h.csv:2:3: a date is written"),
        ("a,1997-01-01,0,1.00\n", "h.csv:2:14: a quantity is"),
        ("a,1997-01-01,-1,1.00\n", "h.csv:2:14: a quantity is"),
        ("a,1997-01-01,99999999999999999999,1.00\n", "h.csv:2:14: a quantity is"),
        ("a,1997-01-01,1,1.005\n", "h.csv:2:16: an amount is written"),
        ("a,1997-01-01,1,-1.00\n", "h.csv:2:16: an amount is written"),
        ("a,1997-01-01,1,.50\n", "h.csv:2:16: an amount is written"),
        ("a,1997-01-01,1,1e3\n", "h.csv:2:16: an amount is written"),
    ])
    func `a bad row is named with its place`(text: String, expected: String) {
        let isWhole = text.isEmpty || text.hasPrefix("name")
        let file = isWhole ? text : "customer,date,quantity,dollars\n" + text
        let error = #expect(throws: HistoryError.self) {
            try History(parsing: Array(file.utf8), file: "h.csv")
        }
        #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
    }

    @Test func `all bad rows are reported, up to twenty of them`() {
        let file = "customer,date,quantity,dollars\n" + String(repeating: "x\n", count: 50)
        let error = #expect(throws: HistoryError.self) {
            try History(parsing: Array(file.utf8), file: "h.csv")
        }
        #expect(error?.problems.count == 20)
        #expect(error?.problems.last?.line == 21)
        #expect(error?.description.hasSuffix("and 30 more") == true)
    }

    @Test func `line ends of either kind and a missing last one are read`() throws {
        let file = "customer,date,quantity,dollars\r\na,1997-01-01,1,1.00\r\nb,2000-02-29,2,3.10"
        let history = try History(parsing: Array(file.utf8), file: "h.csv")
        #expect(history.rows.map(\.amount.rawValue) == [100, 310])
    }
}
