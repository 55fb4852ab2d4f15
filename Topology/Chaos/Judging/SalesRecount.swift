import Events
import Mesh

/// The figures that Analytics must arrive at, counted from the log independently of its code.
struct SalesRecount: Sendable {
    private var totals = SalesReported()
    private var reasons: [String: Int] = [:]
    private var shipped: [ProductID: Int] = [:]

    mutating func count(_ event: ShopEvent) {
        switch event {
        case .placed(let event):
            self.totals.ordersPlaced += 1
            for line in event.lines { self.totals.unitsOrdered &+= line.quantity }

        case .confirmed(let event):
            self.totals.ordersConfirmed += 1
            self.totals.confirmed += event.total

        case .cancelled(let event):
            self.totals.ordersCancelled += 1
            self.reasons[event.reason, default: 0] += 1

        case .stockReserved(let event): self.totals.unitsReserved &+= event.quantity
        case .stockRefused(let event): self.totals.unitsRefused &+= event.quantity
        case .stockReleased(let event): self.totals.unitsReleased &+= event.quantity

        case .stockShipped(let event):
            self.totals.unitsShipped &+= event.quantity
            self.shipped[event.product, default: 0] += event.quantity

        case .captured(let event):
            self.totals.paymentsCaptured += 1
            self.totals.captured += event.amount

        case .declined: self.totals.paymentsDeclined += 1

        case .refunded(let event):
            self.totals.paymentsRefunded += 1
            self.totals.refunded += event.amount

        case .notified: self.totals.notificationsSent += 1
        case .stockSupplied, .reported: break
        }
    }

    /// Returns the first figure that differs, for a person to read; nil where all agree.
    func difference(from report: SalesReported) -> String? {
        for (name, field) in Self.counts where report[keyPath: field] != self.totals[keyPath: field]
        {
            return "\(name) \(report[keyPath: field]), the log has \(self.totals[keyPath: field])"
        }
        for (name, field) in Self.sums where report[keyPath: field] != self.totals[keyPath: field] {
            return "\(name) \(report[keyPath: field]), the log has \(self.totals[keyPath: field])"
        }
        for reason in report.reasons {
            // Reasons beyond the ones kept apart are added up under a name of their own.
            guard let count = self.reasons[reason.reason] else { continue }
            if count != reason.orders, report.reasons.count <= self.reasons.count {
                return "'\(reason.reason)' \(reason.orders) times, the log has \(count)"
            }
        }
        for product in report.topProducts {
            let units = self.shipped[product.product] ?? 0
            guard units != product.units else { continue }
            return "\(product.units) of \(product.product) shipped, the log has \(units)"
        }
        return self.windowDifference(report)
    }

    private func windowDifference(_ report: SalesReported) -> String? {
        var orders = report.earlier.orders
        var revenue = report.earlier.revenue
        for window in report.windows {
            orders &+= window.orders
            revenue += window.revenue
        }
        if orders != self.totals.ordersPlaced {
            return "\(orders) orders in its minutes, the log has \(self.totals.ordersPlaced)"
        }
        if revenue != self.totals.captured {
            return "\(revenue) captured in its minutes, the log has \(self.totals.captured)"
        }
        return nil
    }

    private static var counts: [(String, KeyPath<SalesReported, Int>)] {
        [
            ("orders placed", \.ordersPlaced),
            ("orders confirmed", \.ordersConfirmed),
            ("orders cancelled", \.ordersCancelled),
            ("payments captured", \.paymentsCaptured),
            ("payments declined", \.paymentsDeclined),
            ("payments refunded", \.paymentsRefunded),
            ("notifications sent", \.notificationsSent),
            ("units ordered", \.unitsOrdered),
            ("units reserved", \.unitsReserved),
            ("units refused", \.unitsRefused),
            ("units released", \.unitsReleased),
            ("units shipped", \.unitsShipped),
        ]
    }

    private static var sums: [(String, KeyPath<SalesReported, Money>)] {
        [("captured", \.captured), ("refunded", \.refunded), ("confirmed", \.confirmed)]
    }
}
