import Chaos
import RealWorld
import Testing

@testable import squall

@Suite struct `The live table` {
    private var status: TopologyStatus {
        var status = TopologyStatus(run: "20260102-101500-shop", topology: "shop")
        status.phase = .running
        status.elapsed = .milliseconds(72_400)
        status.load = "50/s x10"
        var orders = TopologyStatus.Process(name: "orders", state: "ready")
        orders.pid = 4711
        orders.eventsPerSecond = 12_345
        orders.lag = 3
        orders.p99 = .microseconds(2_340)
        orders.memoryKibibytes = 8_300
        var payments = TopologyStatus.Process(name: "payments", state: "backing off")
        payments.lag = 1_200
        payments.restarts = 2
        var hub = TopologyStatus.Process(name: "hub", state: "ready")
        hub.pid = 4700
        hub.memoryKibibytes = 900
        status.processes = [hub, orders, payments]
        status.faults = [
            .init(text: "cut orders→payments", bitten: 4, remaining: .milliseconds(3_250)),
            .init(text: "bank down", bitten: 0, remaining: nil),
        ]
        status.orders.placed = 3_600
        status.orders.confirmed = 3_400
        status.orders.cancelled = 180
        status.orders.inProgress = 20
        status.orders.capturedCents = 12_345_605
        status.happenings = [
            .init(after: .seconds(61), text: "payments killed (pid 4712)", tone: .bad),
            .init(after: .seconds(62), text: "payments back after 61 ms", tone: .good),
        ]
        return status
    }

    @Test func `shows who owns which partitions where a service has several instances`() {
        var one = TopologyStatus.Process(name: "orders", state: "ready")
        one.service = "orders"
        one.partitions = [0, 1, 3]
        var two = one
        two.name = "orders-2"
        two.partitions = [2]
        let alone = LiveTable(width: 100).processes([one])
        #expect(!alone[0].contains("partitions"))
        let lines = LiveTable(width: 60).processes([one, two])
        #expect(lines[0].hasPrefix("process   state  partitions"))
        #expect(lines[1].hasPrefix("orders    ready  0-1 3"))
        #expect(lines[2].hasPrefix("orders-2  ready  2"))
        #expect(HumanText.ranges([]).isEmpty)
    }

    @Test func `shows how a service catches up while one does`() {
        var late = TopologyStatus.Process(name: "analytics", state: "ready")
        late.lag = 14_200
        #expect(!LiveTable(width: 100).processes([late])[0].contains("catches up"))
        late.catchUpPerSecond = 2_350
        late.caughtUpIn = .milliseconds(6_042)
        let lines = LiveTable(width: 80).processes([late])
        #expect(lines[0].contains("     lag      catches up"), "\(lines[0])")
        #expect(lines[1].contains("  14,200  2,350/s, 6.0 s"), "\(lines[1])")
        var status = self.status
        status.processes = [late]
        #expect(TopologyStatus(json: status.json)?.processes == [late])
    }

    @Test func `shows processes, orders, faults and what happened`() {
        let lines = LiveTable(width: 100).lines(of: self.status)
        #expect(
            lines.map { $0.trimmingSuffixBlanks } == [
                "squall  shop  20260102-101500-shop  01:12  running  50/s x10",
                "",
                "process   state             pid  events/s       lag       p99  restarts    memory",
                "hub       ready            4700                                       0   900 KiB",
                "orders    ready            4711    12,345         3    2.3 ms         0   8.1 MiB",
                "payments  backing off         -               1,200                   2",
                "",
                "orders   placed 3,600 · confirmed 3,400 · cancelled 180 · in progress 20 · "
                    + "captured $123,456.05",
                "fault    cut orders→payments (bitten 4×, heals in 3.2 s)",
                "fault    bank down (not bitten yet)",
                "",
                "01:01    payments killed (pid 4712)",
                "01:02    payments back after 61 ms",
            ]
        )
    }

    @Test(arguments: [20, 33, 40, 60, 79, 80, 120])
    func `never writes a line that is too long`(width: Int) {
        let lines = LiveTable(width: width).lines(of: self.status)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.contains { $0.hasPrefix("payments") })
    }

    @Test func `drops the least important columns where there is little room`() {
        let header = LiveTable(width: 52).processes(self.status.processes)[0]
        #expect(
            header.trimmingSuffixBlanks == "process   state        events/s       lag  restarts"
        )
    }

    @Test func `has colours only where they are wanted, and the same text`() {
        let plain = LiveTable(width: 90).lines(of: self.status)
        let coloured = LiveTable(width: 90, style: Style(color: true)).lines(of: self.status)
        #expect(plain.allSatisfy { !$0.contains("\u{1B}") })
        #expect(coloured.contains { $0.contains("\u{1B}[32m") })
        #expect(coloured.map { $0.withoutEscapes } == plain)
    }

    @Test func `is redrawn in place and never scrolls`() {
        var page = LivePage()
        #expect(page.redrawn(["a", "b", "c"], rows: 3) == "a\u{1B}[K\nb\u{1B}[K\n\u{1B}[J")
        #expect(page.redrawn(["x"], rows: 24) == "\u{1B}[2A\rx\u{1B}[K\n\u{1B}[J")
    }

    @Test func `says on one line how far it is where no page can be drawn`() {
        let status = self.status
        #expect(
            LiveTable.progress(status, news: status.happenings)
                == "01:12 running · placed 3,600 · confirmed 3,400 · cancelled 180 · in progress 20"
                + " · captured $123,456.05 · payments killed (pid 4712)"
                + " · payments back after 61 ms"
        )
    }

    @Test func `travels as JSON`() {
        #expect(TopologyStatus(json: self.status.json) == self.status)
    }
}

@Suite struct `Numbers for people` {
    @Test(arguments: [
        (Duration.microseconds(850), "850 µs"), (.microseconds(9_940), "9.9 ms"),
        (.milliseconds(61), "61 ms"), (.milliseconds(999), "999 ms"),
        (.milliseconds(3_250), "3.2 s"), (.seconds(125), "2 m 05 s"), (.zero, "0 µs"),
    ])
    func `durations have two or three digits`(duration: Duration, text: String) {
        #expect(HumanText.duration(duration) == text)
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_000, "-1,000"),
    ])
    func `counts have their thousands apart`(count: Int, text: String) {
        #expect(HumanText.count(count) == text)
    }

    @Test(arguments: [
        (Int64(5), "$0.05"), (123_405, "$1,234.05"), (-199, "-$1.99"),
    ])
    func `money is exact to the cent`(cents: Int64, text: String) {
        #expect(HumanText.money(cents: cents) == text)
    }
}

extension String {
    fileprivate var trimmingSuffixBlanks: String {
        String(self.reversed().drop { $0 == " " }.reversed())
    }

    fileprivate var withoutEscapes: String {
        var out = ""
        var rest = self[...]
        while let character = rest.popFirst() {
            if character == "\u{1B}" {
                rest = rest.drop { $0 != "m" }.dropFirst()
            } else {
                out.append(character)
            }
        }
        return out
    }
}
