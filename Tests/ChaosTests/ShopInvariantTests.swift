import Chaos
import Events
import Mesh
import OutsideParties
import Testing

@Suite struct ShopInvariantTests {
    @Test func `a good run passes and every promise is held`() {
        let verdict = LogBuilder.good().verdict()
        for check in verdict.checks {
            #expect(check.finding.outcome == .held, "\(check.name): \(check.finding)")
        }
        #expect(verdict.checks.count == 16)
        #expect(verdict.outcome == .passed)
        #expect(verdict.exitCode == 0)
        #expect(verdict.counts.ordersConfirmed == 2)
        #expect(verdict.counts.ordersCancelled == 1)
        #expect(verdict.counts.moneyCaptured == Money(cents: 2997))
        #expect(verdict.counts.unitsShipped == 6)
    }

    // MARK: Orders

    @Test func `an accepted order that never ends is named`() {
        var run = LogBuilder.good()
        run.reserved(run.order("order-4"), stillPays: false)
        run.drain()
        let finding = run.finding("orders-end-once")
        #expect(finding?.outcome == .broken)
        #expect(finding?.summary == "1 accepted order never ended")
        #expect(finding?.witness.first?.text == "order-4 placed")
    }

    @Test func `an accepted order that is not in the log is named`() {
        var run = LogBuilder.good()
        run.shoppers.append(
            ShoppersLedger.Entry(
                sequence: 9,
                order: "order-9",
                intended: run.time,
                total: .zero,
                quantity: 1,
                outcome: .accepted
            )
        )
        let finding = run.finding("orders-end-once")
        #expect(finding?.outcome == .broken)
        #expect(finding?.witness.first?.text == "order-9 accepted, sequence 9")
    }

    @Test func `an unanswered order that is not in the log breaks nothing`() {
        var run = LogBuilder.good()
        run.shoppers.append(
            ShoppersLedger.Entry(
                sequence: 9,
                order: "order-9",
                intended: run.time,
                total: .zero,
                quantity: 1,
                outcome: .unknown
            )
        )
        #expect(run.verdict().outcome == .passed)
        #expect(run.verdict().counts.ordersUnknown == 1)
    }

    @Test func `an order that ends twice is shown with both ends`() {
        var run = LogBuilder.good()
        let again = OrderCancelled(
            order: "order-1",
            customer: "c",
            total: Money(cents: 999),
            reason: "twice"
        )
        run.turn("orders", [], emit: [again])
        let finding = run.finding("orders-end-once")
        #expect(finding?.summary == "order-1 ended twice")
        #expect(finding?.witness.count == 2)
        #expect(finding?.witness.last?.position == run.last)
    }

    @Test func `an order that no shopper sent is named`() {
        var run = LogBuilder.good()
        run.publish(run.order("order-66"))
        let finding = run.finding("orders-from-shoppers")
        #expect(finding?.summary == "no shopper sent order-66")
        #expect(finding?.witness.first?.position == run.last)
    }

    @Test func `a refused order that is in the log is named`() {
        var run = LogBuilder.good()
        run.placed(run.order("order-5"), outcome: .refused)
        #expect(
            run.finding("orders-from-shoppers")?.summary
                == "order-5 was refused and is in the log all the same"
        )
    }

    @Test func `an order placed twice is named`() {
        var run = LogBuilder.good()
        run.publish(run.order("order-1"))
        #expect(run.finding("orders-from-shoppers")?.summary == "order-1 was placed twice")
    }

    @Test func `an end of an order that was never placed is named`() {
        var run = LogBuilder.good()
        let end = OrderConfirmed(order: "ghost", customer: "c", total: .zero, receipt: "")
        run.turn("orders", [], emit: [end])
        let finding = run.finding("orders-from-shoppers")
        #expect(finding?.summary == "ghost was never placed")
        #expect(finding?.witness.first?.position == run.last)
    }

    // MARK: Money

    @Test func `an order charged twice is named`() {
        var run = LogBuilder.good()
        run.bankMoves(.capture, "order-2", Money(cents: 1998))
        let finding = run.finding("money-adds-up")
        #expect(finding?.outcome == .broken)
        #expect(finding?.summary == "order-2 was charged 2 times")
    }

    @Test func `money under a key that is no order is named`() {
        var run = LogBuilder.good()
        run.bankMoves(.capture, "visit-2/2-ab", Money(cents: 1998))
        let finding = run.finding("money-adds-up")
        #expect(finding?.summary == "the bank moved money for no order")
        #expect(finding?.witness.first?.text == "bank: capture of $19.98 under 'visit-2/2-ab'")
    }

    @Test func `an order charged under two keys that name it is charged twice`() {
        var run = LogBuilder.good()
        run.bankMoves(.capture, "order-2/2-ab", Money(cents: 1998))
        #expect(run.finding("money-adds-up")?.summary == "order-2 was charged 2 times")
    }

    @Test func `a cancelled order whose money the bank kept is named`() {
        var run = LogBuilder.good()
        run.bankMoves(.capture, "order-3", Money(cents: 999))
        #expect(
            run.finding("money-adds-up")?.summary == "order-3 is cancelled, the bank kept $9.99"
        )
        run.bankMoves(.refund, "order-3", Money(cents: 999))
        #expect(run.finding("money-adds-up")?.outcome == .held)
    }

    @Test func `a confirmed order that is a cent short is named`() {
        var run = LogBuilder.good()
        run.bank[0].amount = Money(cents: 998)
        #expect(
            run.finding("money-adds-up")?.summary
                == "order-1 is confirmed for $9.99, the bank kept $9.98"
        )
    }

    @Test func `an order confirmed before it is paid is named`() {
        var run = LogBuilder()
        let order = run.order("order-1")
        run.reserved(order, stillPays: true)
        let end = OrderConfirmed(
            order: order.order,
            customer: order.customer,
            total: order.total,
            receipt: ""
        )
        run.turn("orders", [], emit: [end])
        let finding = run.finding("paid-before-confirmed")
        #expect(finding?.summary == "order-1 is confirmed with $0.00 of $9.99 captured")
        #expect(finding?.witness.first?.position == run.last)
    }

    // MARK: Stock

    @Test func `a product reserved more often than it is there is named`() {
        var run = LogBuilder.good()
        // 10 at first, 6 shipped, 4 left: the third reservation of 2 is one too many.
        for number in 4...6 {
            run.reserved(run.order("order-\(number)"), stillPays: false)
        }
        let finding = run.finding("stock-conserved")
        #expect(finding?.summary == "w1/p-1 is oversold: 6 reserved, 4 there")
        #expect(finding?.witness.first?.text == "2 reserved for order-6, line 0")
    }

    @Test func `supplied stock can be reserved`() {
        var run = LogBuilder.good()
        run.turn("inventory", [], emit: [StockSupplied(product: LogBuilder.product, quantity: 2)])
        for number in 4...6 {
            run.reserved(run.order("order-\(number)"), stillPays: false)
        }
        #expect(run.finding("stock-conserved")?.outcome == .held)
    }

    @Test func `stock shipped without a reservation is named`() {
        var run = LogBuilder.good()
        let placed = run.placed(run.order("order-4"))
        run.turn("orders", [placed])
        let shipped = StockShipped(
            order: "order-4",
            line: 0,
            product: LogBuilder.product,
            quantity: 2
        )
        run.turn("inventory", [], emit: [shipped])
        #expect(
            run.finding("stock-conserved")?.summary
                == "w1/p-1 was shipped for order-4 without being reserved like that"
        )
    }

    @Test func `a reservation that a cancelled order leaves behind is named`() {
        var run = LogBuilder.good()
        let order = run.order("order-4")
        run.reserved(order, stillPays: true)
        let request = run.waiting[run.service("payments")]
        let declined = PaymentDeclined(order: "order-4", amount: order.total, reason: "no")
        let answer = run.turn("payments", request, emit: [declined])
        let end = OrderCancelled(
            order: "order-4",
            customer: "c",
            total: order.total,
            reason: "declined"
        )
        let ended = run.turn("orders", answer, emit: [end])
        run.notify(ended, order, "cancelled")
        run.drain()
        let finding = run.finding("reservations-end")
        #expect(finding?.summary == "order-4 is cancelled, 1 line never released")
        #expect(finding?.witness.first?.text == "order-4 cancelled")
    }

    @Test func `a confirmed order that is not shipped is named`() {
        var run = LogBuilder()
        let order = run.order("order-1", lines: 2)
        run.reserved(order, stillPays: true)
        let captured = run.capture(order)
        let end = OrderConfirmed(
            order: order.order,
            customer: order.customer,
            total: order.total,
            receipt: "r"
        )
        run.turn("orders", captured, emit: [end])
        #expect(
            run.finding("reservations-end")?.summary
                == "order-1 is confirmed, 2 lines never shipped"
        )
    }

    @Test func `stock shipped for a cancelled order is named`() {
        var run = LogBuilder.good()
        let shipped = StockShipped(
            order: "order-3",
            line: 0,
            product: LogBuilder.product,
            quantity: 2
        )
        run.turn("inventory", [], emit: [shipped])
        let finding = run.finding("reservations-end")
        #expect(finding?.summary == "w1/p-1 was shipped for order-3, which gave it up")
        #expect(finding?.witness.last?.position == run.last)
    }

    // MARK: Messages

    @Test func `an order whose end nobody was told is named`() {
        var run = LogBuilder.good()
        run.mail.removeAll { $0.key == "order-2-confirmed" }
        let finding = run.finding("one-message-per-end")
        #expect(finding?.summary == "order-2 is confirmed, 0 messages sent")
    }

    @Test func `a second message for an end is named`() {
        var run = LogBuilder.good()
        run.mails("order-3-cancelled")
        #expect(
            run.finding("one-message-per-end")?.summary
                == "order-3 is cancelled, 2 messages sent"
        )
    }

    @Test func `a message that belongs to no end is named`() {
        var run = LogBuilder.good()
        run.mails("order-1-cancelled")
        #expect(
            run.finding("one-message-per-end")?.witness.first?.text
                == "mail: a message under 'order-1-cancelled'"
        )
    }

    @Test func `a notification that says the wrong end is named at once`() {
        var run = LogBuilder.good()
        let wrong = NotificationSent(
            order: "order-1",
            customer: "c",
            kind: "cancelled",
            message: "m"
        )
        run.turn("notifications", [], emit: [wrong])
        #expect(run.finding("one-message-per-end")?.outcome == .broken)
        #expect(run.finding("one-message-per-end")?.witness.last?.position == run.last)
    }

    // MARK: Analytics

    @Test(arguments: [
        "orders confirmed", "captured", "of w1/p-1 shipped", "'declined'", "in its minutes",
    ])
    func `a figure that is off by one is named`(figure: String) {
        var run = LogBuilder()
        run.confirm("order-1")
        run.cancel("order-3")
        run.drain { report in
            switch figure {
            case "orders confirmed": report.ordersConfirmed += 1
            case "captured": report.captured += Money(cents: 1)
            case "in its minutes": report.windows[0].orders += 1
            case "'declined'":
                report.reasons = report.reasons.map {
                    ReasonCount(reason: $0.reason, orders: $0.orders + 1)
                }
            default:
                report.topProducts = report.topProducts.map {
                    ProductUnits(product: $0.product, units: $0.units - 1)
                }
            }
        }
        let finding = run.finding("analytics-agree")
        #expect(finding?.outcome == .broken)
        #expect(finding?.summary.contains(figure) == true, "\(finding?.summary ?? "")")
        #expect(finding?.witness.first?.position != nil)
    }

    @Test func `analytics that has not counted everything is not judged`() {
        var run = LogBuilder.good()
        run.publish(run.order("order-4"))
        let finding = run.finding("analytics-agree")
        #expect(finding?.outcome == .unknown)
        #expect(finding?.summary.contains("has not counted 1 event yet") == true)
    }

    @Test func `a rewound analytics that counts all over agrees again`() {
        var run = LogBuilder.good()
        let analytics = run.service("analytics")
        let topics = run.layout.services[analytics].consumes
        var events: [[RecordedEvent]] = [[], []]
        for record in run.records {
            for event in record.events where topics.contains(run.layout.topicName(event.topic)) {
                events[event.partition].append(event)
            }
        }
        for partition in 0..<2 {
            for name in topics {
                run.append(
                    .rewound(
                        service: analytics,
                        partition: partition,
                        topic: run.topic(name),
                        offset: 0
                    )
                )
            }
        }
        #expect(run.finding("analytics-agree")?.outcome == .unknown)
        for partition in 0..<2 {
            let report = LogBuilder.report(events[partition], partition)
            run.turn("analytics", events[partition], partition: partition, emit: [report]) {
                $0.changes = []
            }
        }
        #expect(run.verdict().outcome == .passed)
    }
}
