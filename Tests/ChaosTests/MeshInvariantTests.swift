import Chaos
import Events
import Mesh
import Testing

@Suite struct MeshInvariantTests {
    // MARK: Topics

    @Test func `a gap in a topic is named`() {
        var run = LogBuilder.good()
        run.publish(run.order("order-4"))
        run.editLast { record in
            guard case .published(let publisher, let sequence, var events) = record.body else {
                return
            }
            events[0].offset += 2
            record.body = .published(publisher: publisher, sequence: sequence, events: events)
        }
        let finding = run.finding("offsets-unbroken")
        #expect(finding?.outcome == .broken)
        #expect(finding?.summary.hasSuffix("2 missing") == true, "\(finding?.summary ?? "")")
        #expect(finding?.witness.first?.position == run.last)
    }

    @Test func `an offset that comes again is named`() {
        var run = LogBuilder.good()
        let body = run.records.last { if case .published = $0.body { true } else { false } }?.body
        if let body { run.append(body) }
        let finding = run.finding("offsets-unbroken")
        #expect(finding?.summary.contains("repeats what came before") == true)
        #expect(finding?.witness.first?.position == run.last)
        #expect(run.finding("event-ids-unique")?.witness.first?.position == run.last)
    }

    @Test(arguments: [0, 1, 255, 256, 257, 1_500, 2_998, 2_999])
    func `an event that comes again among thousands is noticed, however old it is`(_ age: Int) {
        let judge = Judge(
            layout: LogBuilder.shopLayout,
            invariants: [EventIDsUnique()],
            isShop: false
        )
        let run = LogBuilder()
        let order = run.order("order-1")
        let publish = { (id: Int, position: UInt64) in
            let envelope = run.envelope(order, from: "shoppers", id: UInt64(id))
            let event = RecordedEvent(topic: 0, partition: 0, offset: position, event: envelope)
            judge.observe(
                LogRecord(
                    position: position,
                    time: .zero,
                    body: .published(publisher: "shoppers", sequence: position, events: [event])
                )
            )
        }
        for id in 0..<3_000 { publish(id, UInt64(id)) }
        #expect(judge.violation == nil)
        publish(2_999 - age, 3_000)
        #expect(judge.violation?.finding.witness.first?.position == 3_000)
        #expect(EventIDsUnique().name == judge.violation?.invariant)
    }

    @Test func `an event in the partition of another subject is named`() {
        var run = LogBuilder.good()
        let order = run.order("order-4")
        let home = StableHash.partition(of: "order-4", among: 2)
        let envelope = run.envelope(order, from: "shoppers", id: 999)
        let stray = run.place(envelope, run.topic("orders.placed"), 1 - home)
        run.append(.published(publisher: "shoppers", sequence: 99, events: [stray]))
        let finding = run.finding("offsets-unbroken")
        #expect(finding?.summary == "'order-4' belongs into partition \(home)")
        #expect(finding?.witness.first?.event == envelope.id)
    }

    @Test func `a gap in a journal is named`() {
        var run = LogBuilder.good()
        run.turn("orders", []) { $0.firstChange += 1 }
        let finding = run.finding("offsets-unbroken")
        #expect(finding?.witness.first?.text.hasPrefix("journal.orders/0 at") == true)
    }

    @Test func `a log of another topology is refused`() {
        var run = LogBuilder.good()
        run.append(.opened(layout: 1))
        #expect(
            run.finding("offsets-unbroken")?.summary
                == "the log was written with another topology"
        )
    }

    // MARK: Events

    @Test func `an event that a rewound service repeats is counted, not broken`() {
        var run = LogBuilder.good()
        let notifications = run.service("notifications")
        let ended = run.topic("orders.ended")
        let sent = run.records.flatMap(\.events).first {
            $0.event.type == NotificationSent.type
        }
        guard let sent else { return #expect(Bool(false), "nobody was notified") }
        func repeats(_ event: EventEnvelope, _ service: String, _ run: inout LogBuilder) {
            let repeated = run.place(event, sent.topic, sent.partition)
            run.turn(service, [], partition: 0) { $0.events = [repeated] }
        }
        func again(_ run: inout LogBuilder) { repeats(sent.event, "notifications", &run) }
        // What another service did because of it.
        var effect = sent.event
        effect.id = EventID(high: 7, low: 7)
        effect.causation = sent.event.id
        repeats(effect, "payments", &run)
        var unasked = run
        again(&unasked)
        #expect(unasked.finding("event-ids-unique")?.outcome == .broken)
        run.append(.rewound(service: notifications, partition: 0, topic: ended, offset: 0))
        again(&run)
        #expect(run.finding("event-ids-unique")?.outcome == .held)
        #expect(run.finding("event-ids-unique")?.summary.contains("1 repeated") == true)
        repeats(effect, "payments", &run)
        #expect(run.finding("event-ids-unique")?.outcome == .held)
        #expect(run.finding("event-ids-unique")?.summary.contains("2 repeated") == true)
        effect.causation = .none
        repeats(effect, "payments", &run)
        #expect(run.finding("event-ids-unique")?.outcome == .broken)
    }

    @Test func `an event that a service publishes outside a turn is named`() {
        var run = LogBuilder.good()
        let event = PaymentCaptured(order: "order-1", amount: Money(cents: 1), receipt: "")
        let stray = run.place(event, from: "payments")
        run.append(.published(publisher: "payments", sequence: 1, events: [stray]))
        let finding = run.finding("sources-declared")
        #expect(finding?.summary == "payments emitted to payments.results outside a turn")
        #expect(finding?.witness.first?.position == run.last)
    }

    @Test func `an event in a topic that its service does not declare is named`() {
        var run = LogBuilder.good()
        let event = PaymentCaptured(order: "order-1", amount: Money(cents: 1), receipt: "")
        run.turn("orders", [], emit: [event])
        #expect(
            run.finding("sources-declared")?.summary
                == "orders emitted to payments.results, which it does not declare"
        )
    }

    @Test func `an event that poses as another service's is named`() {
        var run = LogBuilder.good()
        let stray = run.place(run.order("order-4"), from: "payments")
        run.append(.published(publisher: "shoppers", sequence: 99, events: [stray]))
        #expect(
            run.finding("sources-declared")?.summary
                == "shoppers emitted an event that says it is from payments"
        )
    }

    // MARK: Owners

    @Test func `a commit with an old epoch is named with both owners`() {
        var run = LogBuilder.good()
        run.assign(run.service("payments"), 0)
        let assigned = run.last
        run.turn("payments", []) { $0.epoch -= 1 }
        let finding = run.finding("epochs-ascend")
        #expect(finding?.summary == "payments/0 committed with an old epoch")
        #expect(finding?.witness.map(\.position) == [assigned, run.last])
    }

    @Test func `an epoch that does not ascend is named`() {
        var run = LogBuilder.good()
        run.assign(run.service("payments"), 1, epoch: 1)
        let finding = run.finding("epochs-ascend")
        #expect(finding?.summary == "payments/1 got epoch 1 after 1")
    }

    @Test func `a hub that lets a projection begin anew commits nothing in its name`() {
        for sequence: UInt64? in [nil, 0] {
            var run = LogBuilder.good()
            run.turn("analytics", []) {
                $0.snapshot = []
                $0.changes = []
                $0.sequence = sequence ?? $0.sequence - 1
            }
            #expect(run.finding("epochs-ascend")?.outcome == .held)
        }
    }

    @Test func `a missing turn is named`() {
        var run = LogBuilder.good()
        run.turn("payments", []) { $0.sequence += 1 }
        #expect(run.finding("epochs-ascend")?.outcome == .broken)
        #expect(run.finding("epochs-ascend")?.witness.last?.position == run.last)
    }

    @Test func `a turn before any owner is named`() {
        var run = LogBuilder()
        let judge = Judge(layout: run.layout)
        run.turn("payments", [])
        judge.observe(run.records[0])
        judge.observe(run.records[run.records.count - 1])
        #expect(judge.violation?.finding.summary == "payments/0 committed without an owner")
    }

    @Test func `the empty snapshot that lets a projection begin anew is no turn`() {
        var run = LogBuilder.good()
        let last = run.records.compactMap { record -> RecordedTurn? in
            if case .turn(let turn) = record.body { turn } else { nil }
        }.last
        guard let last else { return #expect(Bool(false), "there is no turn") }
        var reset = RecordedTurn(
            service: last.service,
            partition: last.partition,
            epoch: last.epoch,
            sequence: last.sequence
        )
        reset.snapshot = []
        run.append(.turn(reset))
        #expect(run.finding("epochs-ascend")?.outcome == .held)
    }

    // MARK: Deliveries

    @Test func `a delivery handled twice is named`() {
        var run = LogBuilder.good()
        let placed = run.records.flatMap(\.events).first { $0.event.type == OrderPlaced.type }
        run.turn("orders", placed.map { [$0] } ?? [])
        let finding = run.finding("deliveries-ordered")
        #expect(finding?.summary.hasSuffix("twice") == true, "\(finding?.summary ?? "")")
        #expect(finding?.witness.first?.position == run.last)
    }

    @Test func `a subject's events handled out of order are named`() {
        var run = LogBuilder.good()
        let first = run.publish(run.order("order-4"))
        let second = run.publish(run.order("order-4"))
        run.turn("orders", [second])
        let finding = run.finding("deliveries-ordered")
        #expect(
            finding?.summary
                == "orders handled orders.placed/\(first.partition) at \(second.offset) before "
                + "\(first.offset) of the same subject"
        )
    }

    @Test func `events of different subjects may be handled in any order`() {
        var run = LogBuilder.good()
        var events: [RecordedEvent] = []
        for number in 4...9 { events.append(run.publish(run.order("order-\(number)"))) }
        for event in events.reversed() { run.turn("orders", [event]) }
        #expect(run.finding("deliveries-ordered")?.outcome == .held)
    }

    @Test func `two events of a subject in one turn are in order however they are listed`() {
        var run = LogBuilder.good()
        let first = run.publish(run.order("order-4"))
        let second = run.publish(run.order("order-4"))
        run.turn("orders", [second, first])
        #expect(run.finding("deliveries-ordered")?.outcome == .held)
    }

    @Test func `a delivery of what is not there is named`() {
        var run = LogBuilder.good()
        let topic = run.topic("payments.requests")
        run.turn("payments", []) {
            $0.acknowledged = [Acknowledgement(topic: topic, offset: 77)]
        }
        #expect(
            run.finding("deliveries-ordered")?.summary
                == "payments handled payments.requests/0 at 77, which is not there"
        )
    }

    @Test func `a delivery from a topic that is not consumed is named`() {
        var run = LogBuilder.good()
        let topic = run.topic("orders.placed")
        run.turn("payments", []) {
            $0.acknowledged = [Acknowledgement(topic: topic, offset: 0)]
        }
        #expect(
            run.finding("deliveries-ordered")?.summary
                == "payments handled orders.placed/0 at 0, which it does not consume"
        )
    }

    @Test func `a rewound service may handle its events again, in order`() {
        var run = LogBuilder.good()
        let payments = run.service("payments")
        let topic = run.topic("payments.requests")
        let requests = run.records.flatMap(\.events).filter { $0.topic == topic }
        let partition = requests[0].partition
        run.append(.rewound(service: payments, partition: partition, topic: topic, offset: 0))
        #expect(run.finding("everything-handled")?.outcome == .broken)
        for request in requests where request.partition == partition {
            run.turn("payments", [request])
        }
        #expect(run.finding("deliveries-ordered")?.outcome == .held)
        #expect(run.finding("everything-handled")?.outcome == .held)
        run.turn("payments", [requests[0]])
        #expect(run.finding("deliveries-ordered")?.outcome == .broken)
    }

    @Test func `an event that one consumer never handled is named with that consumer`() {
        var run = LogBuilder()
        run.confirm("order-1")
        let unhandled = run.waiting[run.service("analytics")].count
        let placed = StableHash.partition(of: "order-1", among: 2)
        for partition in 0..<2 {
            let rest = run.waiting[run.service("orders")].filter { $0.partition == partition }
            for event in rest { run.turn("orders", [event]) }
        }
        let finding = run.finding("everything-handled")
        #expect(finding?.summary == "\(unhandled) events never handled")
        #expect(
            finding?.witness.first?.text
                == "analytics on orders.placed/\(placed): 1 waiting, the first at 0"
        )
    }

    // MARK: Dead letters

    @Test func `a dead letter that is left is named with its error`() {
        var run = LogBuilder.good()
        let event = run.publish(run.order("order-4"))
        run.done(run.service("orders"), [event])
        run.append(
            .deadLettered(
                DeadLetter(
                    number: 1,
                    service: run.service("orders"),
                    partition: event.partition,
                    topic: event.topic,
                    offset: event.offset,
                    attempts: 20,
                    error: "poison",
                    event: event.event
                )
            )
        )
        let finding = run.finding("no-dead-letters")
        #expect(finding?.summary == "1 dead letter left")
        #expect(
            finding?.witness.first?.text
                == "orders gave up orders.placed.v1 of order-4 after 20 attempts: poison"
        )
        #expect(run.finding("deliveries-ordered")?.outcome == .held)

        let service = run.service("orders")
        let inbox = run.layout.inbox(of: service)
        let again = run.place(event.event, inbox, event.partition)
        run.append(.redriven(service: service, number: 1, event: again))
        #expect(run.finding("no-dead-letters")?.outcome == .held)
        #expect(run.finding("event-ids-unique")?.outcome == .held)
        #expect(
            run.finding("everything-handled")?.witness.contains {
                $0.text.hasPrefix("orders on inbox.orders")
            } == true
        )
    }

    // MARK: Timers

    private func timer(_ run: LogBuilder, _ name: String, due: Instant) -> TimerRequest {
        TimerRequest(
            name: name,
            due: due,
            event: run.envelope(StockOverdue(order: "order-1"), from: "orders", id: 5_000_000)
        )
    }

    private func fire(_ run: inout LogBuilder, _ timer: TimerRequest) {
        let service = run.service("orders")
        let event = run.place(timer.event, run.layout.inbox(of: service), 0)
        run.append(.timerFired(service: service, partition: 0, name: timer.name, event: event))
        run.done(service, [event])
    }

    @Test func `a timer that fires when it is due keeps the promise`() {
        var run = LogBuilder.good()
        let timer = self.timer(run, "t", due: run.time + .milliseconds(2))
        run.turn("orders", []) { $0.timersSet = [timer] }
        run.time = run.time + .milliseconds(5)
        self.fire(&run, timer)
        #expect(run.finding("timers-fire-once")?.outcome == .held)
        #expect(run.finding("timers-fire-once")?.summary == "1 fired")
    }

    @Test func `a timer that fires early is named with the turn that set it`() {
        var run = LogBuilder.good()
        let timer = self.timer(run, "t", due: run.time + .milliseconds(50))
        run.turn("orders", []) { $0.timersSet = [timer] }
        let set = run.last
        self.fire(&run, timer)
        let finding = run.finding("timers-fire-once")
        #expect(finding?.summary == "timer 't' fired 48000 µs early")
        #expect(finding?.witness.map(\.position) == [set, run.last])
    }

    @Test func `a timer that fires twice is named`() {
        var run = LogBuilder.good()
        let timer = self.timer(run, "t", due: run.time)
        run.turn("orders", []) { $0.timersSet = [timer] }
        self.fire(&run, timer)
        self.fire(&run, timer)
        #expect(
            run.finding("timers-fire-once")?.summary
                == "timer 't' fired without being set, or again"
        )
    }

    @Test func `a cancelled timer that fires is named`() {
        var run = LogBuilder.good()
        let timer = self.timer(run, "t", due: run.time)
        run.turn("orders", []) { $0.timersSet = [timer] }
        run.turn("orders", []) { $0.timersCancelled = ["t"] }
        self.fire(&run, timer)
        #expect(run.finding("timers-fire-once")?.outcome == .broken)
    }

    @Test func `a timer that was due long before the end and never fired is named`() {
        var run = LogBuilder.good()
        let timer = self.timer(run, "t", due: run.time + .seconds(1))
        run.turn("orders", []) { $0.timersSet = [timer] }
        #expect(run.finding("timers-fire-once")?.outcome == .held)
        run.time = run.time + .seconds(7)
        run.append(.closed)
        #expect(run.finding("timers-fire-once")?.summary == "1 timer due and never fired")
    }
}
