import Chaos
import Events
import Mesh
import OutsideParties

extension LogBuilder {
    static let product = ProductID("w1/p-1")

    /// A run in which orders 1 and 2 are confirmed and 3 is cancelled, with nothing left to do.
    static func good() -> LogBuilder {
        var run = LogBuilder()
        run.confirm("order-1")
        run.confirm("order-2", lines: 2)
        run.cancel("order-3")
        run.drain()
        return run
    }

    func order(_ id: String, lines: Int = 1) -> OrderPlaced {
        OrderPlaced(
            order: OrderID(id),
            customer: CustomerID("c"),
            lines: (0..<lines).map { _ in
                OrderLine(product: Self.product, quantity: 2, amount: Money(cents: 999))
            },
            total: Money(cents: Int64(999 * lines))
        )
    }

    /// Places an order and notes it in the shoppers' ledger.
    @discardableResult
    mutating func placed(
        _ order: OrderPlaced,
        outcome: ShoppersLedger.Outcome = .accepted
    ) -> RecordedEvent {
        self.shoppers.append(
            ShoppersLedger.Entry(
                sequence: UInt64(self.shoppers.entries.count + 1),
                order: order.order,
                intended: self.time,
                total: order.total,
                quantity: order.lines.reduce(0) { $0 + $1.quantity },
                outcome: outcome
            )
        )
        return self.publish(order)
    }

    /// Takes an order up to where all its stock is reserved.
    mutating func reserved(_ order: OrderPlaced, stillPays: Bool) {
        let placed = self.placed(order)
        let due = self.time + .seconds(60)
        let timer = "stock-\(order.order)"
        let overdue = self.envelope(StockOverdue(order: order.order), from: "orders", id: due.id)
        let requests = self.turn(
            "orders",
            [placed],
            emit: order.lines.enumerated().map { number, line in
                StockRequested(
                    order: order.order,
                    line: number,
                    product: line.product,
                    quantity: line.quantity
                )
            }
        ) { $0.timersSet = [TimerRequest(name: timer, due: due, event: overdue)] }
        for (number, request) in requests.enumerated() {
            let answer = self.turn("inventory", [request], emit: [self.stock(order, number)])
            guard number == requests.count - 1, stillPays else {
                self.turn("orders", answer)
                continue
            }
            let payment = PaymentRequested(
                order: order.order,
                customer: order.customer,
                amount: order.total
            )
            self.turn("orders", answer, emit: [payment]) { $0.timersCancelled = [timer] }
        }
    }

    func stock(_ order: OrderPlaced, _ line: Int) -> StockReserved {
        StockReserved(
            order: order.order,
            line: line,
            product: order.lines[line].product,
            quantity: order.lines[line].quantity
        )
    }

    /// Takes an order all the way to confirmed and shipped.
    mutating func confirm(_ id: String, lines: Int = 1) {
        let order = self.order(id, lines: lines)
        self.reserved(order, stillPays: true)
        let captured = self.capture(order)
        let emitted = self.turn(
            "orders",
            captured,
            emit: self.lines(order) {
                StockShipRequested(order: $0, line: $1, product: $2, quantity: $3)
            }
                + [
                    OrderConfirmed(
                        order: order.order,
                        customer: order.customer,
                        total: order.total,
                        receipt: "r-\(id)"
                    )
                ]
        )
        for (number, request) in emitted.dropLast().enumerated() {
            let line = order.lines[number]
            let shipped = StockShipped(
                order: order.order,
                line: number,
                product: line.product,
                quantity: line.quantity
            )
            self.turn("inventory", [request], emit: [shipped])
        }
        self.notify(emitted.suffix(1), order, "confirmed")
    }

    /// Lets Payments charge an order.
    mutating func capture(_ order: OrderPlaced) -> [RecordedEvent] {
        self.bankMoves(.capture, order.order.rawValue, order.total)
        let request = self.waiting[self.service("payments")].filter {
            $0.event.subject == order.order.rawValue
        }
        let captured = PaymentCaptured(
            order: order.order,
            amount: order.total,
            receipt: "r-\(order.order)"
        )
        return self.turn("payments", request, emit: [captured])
    }

    mutating func bankMoves(_ kind: BankLedger.Kind, _ key: String, _ amount: Money) {
        self.bank.append(
            BankLedger.Entry(kind: kind, key: key, amount: amount, receipt: "", time: self.time)
        )
    }

    /// Takes an order to cancelled because the bank declined it.
    mutating func cancel(_ id: String) {
        let order = self.order(id)
        self.reserved(order, stillPays: true)
        self.bankMoves(.decline, id, order.total)
        let request = self.waiting[self.service("payments")].filter { $0.event.subject == id }
        let declined = self.turn(
            "payments",
            request,
            emit: [PaymentDeclined(order: order.order, amount: order.total, reason: "no")]
        )
        let emitted = self.turn(
            "orders",
            declined,
            emit: self.lines(order) {
                StockReleaseRequested(order: $0, line: $1, product: $2, quantity: $3)
            } + [
                OrderCancelled(
                    order: order.order,
                    customer: order.customer,
                    total: order.total,
                    reason: "declined"
                )
            ]
        )
        for (number, request) in emitted.dropLast().enumerated() {
            let line = order.lines[number]
            let released = StockReleased(
                order: order.order,
                line: number,
                product: line.product,
                quantity: line.quantity
            )
            self.turn("inventory", [request], emit: [released])
        }
        self.notify(emitted.suffix(1), order, "cancelled")
    }

    private func lines(
        _ order: OrderPlaced,
        _ make: (OrderID, Int, ProductID, Int) -> any Event
    ) -> [any Event] {
        order.lines.enumerated().map { make(order.order, $0, $1.product, $1.quantity) }
    }

    mutating func notify(_ ended: [RecordedEvent], _ order: OrderPlaced, _ kind: String) {
        self.mails("\(order.order)-\(kind)")
        let sent = NotificationSent(
            order: order.order,
            customer: order.customer,
            kind: kind,
            message: "m"
        )
        self.turn("notifications", ended, emit: [sent])
    }

    mutating func mails(_ key: String) {
        self.mail.append(
            MailLedger.Entry(
                key: key,
                customer: CustomerID("c"),
                text: "",
                message: "m",
                time: self.time
            )
        )
    }

    /// Lets every service do what is left to do, and Analytics report.
    mutating func drain(editReport: (inout SalesReported) -> Void = { _ in }) {
        for service in self.layout.services where service.name != "analytics" {
            for partition in 0..<2 {
                let rest = self.waiting[self.service(service.name)].filter {
                    $0.partition == partition
                }
                for event in rest { self.turn(service.name, [event]) }
            }
        }
        for partition in 0..<2 {
            let rest = self.waiting[self.service("analytics")].filter {
                $0.partition == partition
            }
            var report = Self.report(rest, partition)
            editReport(&report)
            self.turn("analytics", rest, partition: partition, emit: [report]) {
                $0.changes = []
            }
        }
    }

    /// Counts what Analytics would.
    static func report(_ events: [RecordedEvent], _ partition: Int) -> SalesReported {
        var report = SalesReported()
        report.partition = partition
        var shipped = 0
        var declined = 0
        for event in events {
            switch ShopEvent(event.event) {
            case .placed(let event):
                report.ordersPlaced += 1
                report.unitsOrdered += event.lines.reduce(0) { $0 + $1.quantity }
            case .confirmed(let event):
                report.ordersConfirmed += 1
                report.confirmed += event.total
            case .cancelled:
                report.ordersCancelled += 1
                declined += 1
            case .captured(let event):
                report.paymentsCaptured += 1
                report.captured += event.amount
            case .declined: report.paymentsDeclined += 1
            case .notified: report.notificationsSent += 1
            case .stockReserved(let event): report.unitsReserved += event.quantity
            case .stockReleased(let event): report.unitsReleased += event.quantity
            case .stockShipped(let event):
                report.unitsShipped += event.quantity
                shipped += event.quantity
            default: break
            }
        }
        if shipped > 0 {
            report.topProducts = [ProductUnits(product: Self.product, units: shipped)]
        }
        if declined > 0 { report.reasons = [ReasonCount(reason: "declined", orders: declined)] }
        report.windows = [
            SalesWindow(start: .zero, orders: report.ordersPlaced, revenue: report.captured)
        ]
        return report
    }
}

extension Instant {
    /// A number for the id of an event that this instant is about.
    fileprivate var id: UInt64 { 1_000_000 + UInt64(self.nanoseconds / 1000) }
}
