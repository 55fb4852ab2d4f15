import Chaos
import Events
import Mesh
import Testing

@Suite struct RunFoldTests {
    private func fold(_ run: LogBuilder) -> RunFold {
        var fold = RunFold(layout: run.layout)
        for record in run.records { fold.observed(RecordView(record)) }
        return fold
    }

    @Test func `the numbers of a run are those of its orders`() {
        let fold = self.fold(LogBuilder.good())
        #expect(fold.orders.placed == 3)
        #expect(fold.orders.confirmed == 2)
        #expect(fold.orders.cancelled == 1)
        #expect(fold.orders.inProgress == 0)
        #expect(fold.orders.moneyCaptured == Money(cents: 2997))
        #expect(fold.orders.unitsShipped == 6)
        #expect(fold.orders.messages == 3)
        #expect(fold.orders.latency.count == 3)
        #expect(fold.lag == 0)
        #expect(fold.services.map(\.lag) == [0, 0, 0, 0, 0])
        #expect(fold.services.map(\.name).first == "orders")
        #expect(fold.eventCounts[fold.layout.topicIndex("orders.placed") ?? 0] == 3)
    }

    @Test func `lag is what was published and is not handled, also after a rewind`() {
        var run = LogBuilder.good()
        for number in 4...8 { run.publish(run.order("order-\(number)")) }
        let orders = run.service("orders")
        #expect(self.fold(run).services[orders].lag == 5)
        #expect(self.fold(run).orders.inProgress == 5)
        run.turn("orders", [run.waiting[orders][0]])
        #expect(self.fold(run).services[orders].lag == 4)
        let payments = run.service("payments")
        let topic = run.topic("payments.requests")
        let requests = run.records.flatMap(\.events).filter { $0.topic == topic }
        for partition in 0..<2 {
            run.append(
                .rewound(service: payments, partition: partition, topic: topic, offset: 0)
            )
        }
        #expect(self.fold(run).services[payments].lag == requests.count)
    }

    @Test func `a service that fell behind catches up by what it handles beyond what comes in`() {
        var run = LogBuilder()
        let events = (1...500).map { run.publish(run.order("order-\($0)")) }
        let orders = run.service("orders")
        run.turn("orders", [events[0]])
        #expect(self.fold(run).services[orders].catchUp(now: run.time) == nil)
        run.time = run.time + .seconds(3)
        for event in events[1...300] { run.turn("orders", [event]) }
        let now = run.time + .milliseconds(100)
        let numbers = self.fold(run).services[orders]
        #expect(numbers.catchUp(now: now) == .init(perSecond: 300, timeLeft: .milliseconds(663)))
        // What comes in meanwhile is not gained.
        for number in 501...600 { run.publish(run.order("order-\(number)")) }
        let later = self.fold(run).services[orders].catchUp(now: now + .milliseconds(100))
        #expect(later == .init(perSecond: 200, timeLeft: .milliseconds(1495)))
        for event in events.dropFirst(301) { run.turn("orders", [event]) }
        #expect(self.fold(run).services[orders].catchUp(now: run.time) == nil)
    }

    @Test func `latency counts from the commit of an event to the commit of its turn`() {
        var run = LogBuilder()
        let event = run.publish(run.order("order-1"))
        run.time = run.time + .milliseconds(249)
        run.turn("orders", [event])
        let fold = self.fold(run)
        let latency = fold.services[run.service("orders")].latency
        #expect(latency.count == 1)
        #expect(latency.longest == .milliseconds(250))
    }

    @Test func `an order's latency counts from when its shopper meant to place it`() {
        var run = LogBuilder()
        var envelope = run.envelope(run.order("order-1"), from: "shoppers", id: 1)
        envelope.time = Instant(nanoseconds: run.time.nanoseconds - 500_000_000)
        let partition = StableHash.partition(of: "order-1", among: 2)
        let event = run.place(envelope, run.topic("orders.placed"), partition)
        run.append(.published(publisher: "shoppers", sequence: 1, events: [event]))
        let end = OrderCancelled(order: "order-1", customer: "c", total: .zero, reason: "")
        run.turn("orders", [event], emit: [end])
        #expect(self.fold(run).orders.latency.longest == .milliseconds(502))
    }

    @Test func `an event that waited longer than the ring reaches is not counted as quick`() {
        var run = LogBuilder()
        var events: [RecordedEvent] = []
        for _ in 0..<5000 { events.append(run.publish(run.order("order-1"))) }
        run.time = run.time + .seconds(9)
        run.turn("orders", [events[0]])
        let latency = self.fold(run).services[run.service("orders")].latency
        #expect(latency.count == 1)
        #expect(latency.longest >= .seconds(13))
    }

    @Test func `rates are those of the last full seconds`() {
        var run = LogBuilder()
        let origin = Instant(nanoseconds: 10_000_000_000)
        for number in 0..<300 {
            run.time = origin + .milliseconds(number * 10 - 1)
            run.turn("orders", [run.publish(run.order("order-\(number)"))])
        }
        let fold = self.fold(run)
        let orders = fold.services[run.service("orders")]
        let end = origin + .seconds(3)
        #expect(orders.eventsPerSecond(now: end) == 100)
        #expect(orders.eventsPerSecond(now: end, over: 3) == 100)
        #expect(orders.eventsPerSecond(now: end + .seconds(1)) == 0)
        #expect(orders.eventsPerSecond(now: end + .seconds(100)) == 0)
        #expect(fold.eventsPerSecond(now: end) == 100)
    }
}
