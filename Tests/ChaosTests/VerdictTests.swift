import Chaos
import Events
import Mesh
import OutsideParties
import Testing

@Suite struct VerdictTests {
    @Test func `a run in which no order ended is unknown, not passed`() {
        let verdict = LogBuilder().verdict()
        #expect(verdict.isVacuous)
        #expect(verdict.outcome == .unknown)
        #expect(verdict.exitCode == 1)
        #expect(verdict.text(color: false).hasPrefix("UNKNOWN  nothing was judged"))
    }

    @Test func `a run without a ledger is unknown, not passed`() {
        let run = LogBuilder.good()
        let judge = Judge(layout: run.layout)
        for record in run.records { judge.observe(record) }
        var ledgers = run.ledgers
        ledgers.bank = nil
        let verdict = judge.finish(ledgers: ledgers)
        #expect(verdict.outcome == .unknown)
        let unknown = verdict.checks.filter { $0.finding.outcome == .unknown }
        #expect(unknown.map(\.name) == ["money-adds-up"])
    }

    @Test func `the text begins with the word and ends with what is broken and its witness`() {
        var run = LogBuilder.good()
        run.mail.removeLast()
        let verdict = run.verdict()
        #expect(verdict.outcome == .failed)
        #expect(verdict.exitCode == 1)
        let lines = verdict.text(color: false).split(separator: "\n")
        #expect(lines.first?.hasPrefix("FAILED  3 orders, 2 confirmed, 1 cancelled") == true)
        #expect(lines.last?.hasPrefix("     mail: 0 under 'order-3-cancelled'") == true)
        #expect(lines.filter { $0.hasPrefix(" ✓") }.count == 15)
        #expect(lines.filter { $0.hasPrefix(" ✗") }.count == 1)
        #expect(!verdict.text(color: false).contains("\u{1B}"))
        #expect(verdict.text(color: true).contains("\u{1B}[1;31mFAILED"))
    }

    @Test func `the object says the same as the text`() throws {
        var run = LogBuilder.good()
        run.mail.removeLast()
        let json = try JSONValue(parsing: run.verdict().json.prettyText)
        #expect(json["verdict"] == "failed")
        #expect(json["exitCode"] == 1)
        #expect(json["counts"]?["ordersConfirmed"] == 2)
        let broken = json["checks"]?.array?.filter { $0["outcome"] == "broken" } ?? []
        #expect(broken.count == 1)
        #expect(broken.first?["name"] == "one-message-per-end")
        #expect(broken.first?["witness"]?.array?.count == 2)
    }

    @Test func `a violation is known as soon as its record is seen`() {
        var run = LogBuilder.good()
        run.publish(run.order("order-1"))
        let judge = Judge(layout: run.layout)
        for record in run.records.dropLast() { judge.observe(record) }
        #expect(judge.violation == nil)
        if let last = run.records.last { judge.observe(last) }
        #expect(judge.violation?.invariant == "orders-from-shoppers")
    }

    @Test func `judging the same run twice gives the same text`() {
        var run = LogBuilder.good()
        run.bankMoves(.capture, "nobody", Money(cents: 5))
        #expect(run.verdict().json.text == run.verdict().json.text)
    }

    @Test func `numbers that no layout has are reported and harm nobody`() {
        var run = LogBuilder.good()
        let event = run.envelope(run.order("order-1"), from: "shoppers", id: 77)
        let stray = RecordedEvent(topic: 99, partition: 7, offset: .max, event: event)
        var turn = RecordedTurn(service: 42, partition: -1, epoch: .max, sequence: .max)
        turn.acknowledged = [Acknowledgement(topic: -5, offset: .max)]
        turn.events = [stray]
        turn.changes = [[]]
        run.append(.published(publisher: "x", sequence: 0, events: [stray]))
        run.append(.turn(turn))
        let far = RecordedEvent(topic: 0, partition: 0, offset: .max, event: event)
        run.append(.published(publisher: "shoppers", sequence: 0, events: [far, far]))
        run.turn("orders", [far])
        run.append(.assigned(service: 42, partition: 9, epoch: 0, instance: ""))
        run.append(.timerFired(service: 42, partition: 9, name: "", event: stray))
        run.append(.redriven(service: 42, number: 0, event: stray))
        run.append(.rewound(service: 42, partition: 9, topic: -1, offset: .max))
        run.append(
            .rewound(service: 0, partition: 0, topic: run.topic("orders.placed"), offset: .max)
        )
        run.append(
            .deadLettered(
                DeadLetter(
                    number: 0,
                    service: 42,
                    partition: 9,
                    topic: -1,
                    offset: .max,
                    attempts: 0,
                    error: "",
                    event: event
                )
            )
        )
        run.turn("orders", [far])
        #expect(run.verdict().outcome == .failed)
        var fold = RunFold(layout: run.layout)
        for record in run.records { fold.observed(RecordView(record)) }
        #expect(fold.recordCount == run.records.count)
    }

    @Test func `ledgers are read from a folder, and what is not there is missing`() throws {
        let disk = MemoryDisk()
        #expect(try Ledgers(reading: disk).bank == nil)
        let entry = BankLedger.Entry(
            kind: .capture,
            key: "order-1",
            amount: Money(cents: 5),
            receipt: "r",
            time: .zero
        )
        try disk.append(LedgerFile.line(entry), to: BankLedger.fileName)
        let ledgers = try Ledgers(reading: disk)
        #expect(ledgers.bank?.captured == Money(cents: 5))
        #expect(ledgers.mail == nil)
        #expect(ledgers.shoppers == nil)
    }

    @Test func `a topology that is no shop is judged by what every mesh promises`() {
        let layout = MeshLayout(
            topics: [MeshLayout.Topic(name: "pings", partitions: 1)],
            services: [
                MeshLayout.Service(name: "pong", consumes: ["pings"], emits: [], partitions: 1)
            ],
            publishers: [MeshLayout.Publisher(name: "pinger", emits: ["pings"])],
            links: []
        )
        func judge(_ turn: RecordedTurn?) -> Verdict {
            let judge = Judge(layout: layout)
            var bodies: [LogRecord.Body] = [
                .opened(layout: layout.fingerprint),
                .assigned(service: 0, partition: 0, epoch: 1, instance: "pong-1"),
            ]
            if let turn { bodies.append(.turn(turn)) }
            for (index, body) in bodies.enumerated() {
                judge.observe(LogRecord(position: UInt64(index), time: .zero, body: body))
            }
            return judge.finish(ledgers: Ledgers())
        }
        #expect(judge(nil).isVacuous)
        let turn = RecordedTurn(service: 0, partition: 0, epoch: 1, sequence: 1)
        #expect(judge(turn).outcome == .passed)
        #expect(judge(turn).checks.count == 8)
        let old = RecordedTurn(service: 0, partition: 0, epoch: 0, sequence: 1)
        #expect(judge(old).outcome == .failed)
    }
}
