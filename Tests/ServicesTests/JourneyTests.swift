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

/// All five services around the simplest mesh that keeps its promises, and a random world.
///
/// Events of one topic and subject arrive in their order at each consumer, everything else as
/// chance will have it; calls to outside parties fail before or after they took effect; timers may
/// fire long before anything else happens.
private struct Shop {
    private struct Queue: Hashable {
        var consumer: String
        var topic: String
        var subject: String
    }

    private struct Timer {
        var service: String
        var request: TimerRequest
    }

    private let orders: Stage<Orders>
    private let inventory: Stage<Inventory>
    private let payments: Stage<Payments>
    private let notifications: Stage<Notifications>
    private let analytics: Stage<Analytics>
    private var random: SeededRandom
    private var queues: [Queue: [EventEnvelope]] = [:]
    /// The queues that are not empty.
    private var ready: [Queue] = []
    private var attempts: [EventID: Int] = [:]
    private var timers: [Timer] = []
    private(set) var history: [EventEnvelope] = []

    init(seed: UInt64, flaws: [Flaw]) {
        self.random = SeededRandom(seed: seed)
        self.orders = Stage(flaws: flaws)
        self.inventory = Stage(
            settings: ["stockPerProduct": 12, "reorderPoint": 4, "reorderQuantity": 6],
            flaws: flaws
        )
        self.payments = Stage(
            StageHost(service: Payments.name, flaws: flaws, declines: Ratio(1, 5) ?? .zero)
        )
        self.notifications = Stage(flaws: flaws)
        self.analytics = Stage(flaws: flaws)
    }

    // MARK: The mesh

    private static func topic(of type: String) -> String {
        EventCatalogue.all.first { $0.type == type }?.topic ?? ""
    }

    private static func consumers(of topic: String) -> [String] {
        func takes<S: Service>(_ service: S.Type) -> Bool {
            S.consumes.contains { $0.topic == topic }
        }
        return [
            takes(Orders.self) ? Orders.name : nil, takes(Inventory.self) ? Inventory.name : nil,
            takes(Payments.self) ? Payments.name : nil,
            takes(Notifications.self) ? Notifications.name : nil,
            takes(Analytics.self) ? Analytics.name : nil,
        ].compactMap { $0 }
    }

    private mutating func publish(_ event: EventEnvelope) {
        self.history.append(event)
        let topic = Self.topic(of: event.type)
        for consumer in Self.consumers(of: topic) {
            let queue = Queue(consumer: consumer, topic: topic, subject: event.subject)
            if self.queues[queue] == nil { self.ready.append(queue) }
            self.queues[queue, default: []].append(event)
        }
    }

    private mutating func handle(_ service: String, _ event: EventEnvelope) -> StageOutcome {
        let attempt = self.attempts[event.id, default: 0] + 1
        self.attempts[event.id] = attempt
        let outcome: StageOutcome?
        switch service {
        case Orders.name: outcome = self.orders.handle(event, attempt: attempt)
        case Inventory.name: outcome = self.inventory.handle(event, attempt: attempt)
        case Payments.name:
            self.disturb(self.payments.host)
            outcome = self.payments.handle(event, attempt: attempt)
        case Notifications.name:
            self.disturb(self.notifications.host)
            outcome = self.notifications.handle(event, attempt: attempt)
        default: outcome = self.analytics.handle(event, attempt: attempt)
        }
        return outcome ?? StageOutcome()
    }

    private mutating func disturb(_ host: StageHost) {
        host.failures = []
        guard self.random.chance(1, in: 4) else { return }
        host.failures = [self.random.chance(1, in: 2) ? .unreachable : .timedOut]
    }

    private mutating func commit(_ service: String, _ outcome: StageOutcome) {
        for event in outcome.emitted { self.publish(event) }
        for name in outcome.timersCancelled {
            self.timers.removeAll { $0.service == service && $0.request.name == name }
        }
        for request in outcome.timersSet {
            self.timers.append(Timer(service: service, request: request))
        }
    }

    // MARK: The run

    mutating func place(_ count: Int) {
        for number in 1...count {
            let lines = (0...self.random.below(3)).map { _ in
                OrderLine(
                    product: ProductID("w1/p-\(self.random.below(4))"),
                    quantity: self.random.below(3) + 1,
                    amount: Money(cents: Int64(self.random.below(3) * 100))
                )
            }
            let order = OrderPlaced(
                order: OrderID("order-\(number)"),
                customer: CustomerID("customer-\(number % 7)"),
                lines: lines,
                total: lines.reduce(Money.zero) { $0 + $1.amount }
            )
            let id = EventID(high: 9, low: UInt64(number))
            self.publish(
                EventEnvelope(
                    id: id,
                    source: "shoppers",
                    type: OrderPlaced.type,
                    subject: order.subject,
                    time: Instant(nanoseconds: Int64(number) * 1_000_000_000),
                    trace: TraceContext(startedBy: id),
                    causation: .none,
                    correlation: order.subject,
                    data: order.encoded()
                )
            )
        }
    }

    mutating func run() {
        while true {
            if !self.timers.isEmpty, self.ready.isEmpty || self.random.chance(1, in: 60) {
                let timer = self.timers.remove(at: self.random.below(self.timers.count))
                let outcome = self.handle(timer.service, timer.request.event)
                self.commit(timer.service, outcome)
                continue
            }
            guard !self.ready.isEmpty else { return }
            let index = self.random.below(self.ready.count)
            let queue = self.ready[index]
            guard let event = self.queues[queue]?.first else { return }
            let outcome = self.handle(queue.consumer, event)
            guard outcome.failure == nil else { continue }
            self.queues[queue]?.removeFirst()
            if self.queues[queue]?.isEmpty == true {
                self.queues[queue] = nil
                self.ready.remove(at: index)
            }
            self.commit(queue.consumer, outcome)
        }
    }

    // MARK: The audit

    private func events<E: Event>(_ type: E.Type) throws -> [E] {
        try self.history.filter { $0.type == type.type }.map { try E(decoding: $0.data) }
    }

    /// What is wrong, judged from the events and the ledgers.
    func findings() throws -> Set<String> {
        let placed = try self.events(OrderPlaced.self)
        let confirmed = try self.events(OrderConfirmed.self)
        let cancelled = try self.events(OrderCancelled.self)
        var found: Set<String> = []
        let ended = (confirmed.map(\.order) + cancelled.map(\.order)).sorted()
        if ended != placed.map(\.order).sorted() { found.insert("not every order ended once") }

        let bank = BankLedger(entries: self.payments.host.bank)
        if bank.balance != confirmed.reduce(Money.zero, { $0 + $1.total }) {
            found.insert("the bank does not have what the confirmed orders cost")
        }
        let messages = self.notifications.host.mail.map(\.key).sorted()
        let wanted =
            confirmed.map { "\($0.order)-confirmed" } + cancelled.map { "\($0.order)-cancelled" }
        if messages != wanted.sorted() { found.insert("not one message for each end") }
        try self.auditStock(Set(confirmed.map(\.order)), &found)
        try self.auditFigures(placed, confirmed, cancelled, &found)
        return found
    }

    private func auditStock(_ confirmed: Set<OrderID>, _ found: inout Set<String>) throws {
        var held: [String: ProductID] = [:]
        var onHand: [ProductID: Int] = [:]
        var reserved: [ProductID: Int] = [:]
        for envelope in self.history {
            switch envelope.type {
            case StockReserved.type:
                let event = try StockReserved(decoding: envelope.data)
                held["\(event.order)/\(event.line)"] = event.product
                reserved[event.product, default: 0] += event.quantity
            case StockReleased.type:
                let event = try StockReleased(decoding: envelope.data)
                held["\(event.order)/\(event.line)"] = nil
                reserved[event.product, default: 0] -= event.quantity
                if confirmed.contains(event.order) { found.insert("released what was sold") }
            case StockShipped.type:
                let event = try StockShipped(decoding: envelope.data)
                held["\(event.order)/\(event.line)"] = nil
                reserved[event.product, default: 0] -= event.quantity
                onHand[event.product, default: 12] -= event.quantity
                if !confirmed.contains(event.order) { found.insert("shipped what was not sold") }
            case StockSupplied.type:
                let event = try StockSupplied(decoding: envelope.data)
                onHand[event.product, default: 12] += event.quantity
            default: continue
            }
            let isOversold = reserved.contains { $0.value > onHand[$0.key, default: 12] }
            if isOversold { found.insert("oversold") }
        }
        if !held.isEmpty { found.insert("reservations are left") }
    }

    private func auditFigures(
        _ placed: [OrderPlaced],
        _ confirmed: [OrderConfirmed],
        _ cancelled: [OrderCancelled],
        _ found: inout Set<String>
    ) throws {
        var figures = SalesFigures(windowsMax: 120)
        try figures.restore(from: self.analytics.service.assumeIsolated { $0.snapshot() })
        let report = figures.report(partition: 0)
        let captured = try self.events(PaymentCaptured.self)
        let agrees =
            report.ordersPlaced == placed.count && report.ordersConfirmed == confirmed.count
            && report.ordersCancelled == cancelled.count
            && report.captured == captured.reduce(.zero) { $0 + $1.amount }
            && report.notificationsSent == placed.count
        if !agrees { found.insert("the figures differ from a recount") }
    }
}

@Suite struct JourneyTests {
    private func findings(_ seed: UInt64, _ flaws: [Flaw] = []) throws -> Set<String> {
        var shop = Shop(seed: seed, flaws: flaws)
        shop.place(25)
        shop.run()
        return try shop.findings()
    }

    @Test(arguments: 1...25) func `whatever fails and whatever is late, the books balance`(
        seed: UInt64
    ) throws {
        #expect(try self.findings(seed) == [])
    }

    @Test func `the same seed is the same run`() throws {
        var first = Shop(seed: 3, flaws: [])
        var second = Shop(seed: 3, flaws: [])
        first.place(25)
        second.place(25)
        first.run()
        second.run()
        #expect(first.history == second.history)
        #expect(first.history.count > 200)
    }

    @Test(
        arguments: [
            (
                Flaw.chargeWithoutKey,
                "the bank does not have what the confirmed orders cost"
            ),
            (.lostCompensation, "reservations are left"),
            (.oversell, "oversold"),
        ]
    )
    func `a planted bug is found`(flaw: Flaw, finding: String) throws {
        let isFound = try (1...25).contains { try self.findings($0, [flaw]).contains(finding) }
        #expect(isFound)
    }
}
