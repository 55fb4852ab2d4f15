import Events
import Mesh

/// The running figures of one partition: counts, money, products and minutes.
///
/// Which events were counted decides the figures, not their order, as far as windows go.
struct SalesFigures: Sendable {
    private static let windowLength: Int64 = 60_000_000_000
    private static let topProductsMax = 10
    private static let reasonsMax = 32
    private static let otherReasons = "other reasons"

    /// How many windows are kept apart; older ones are added up.
    private let windowsMax: Int
    private var state = State()

    /// What a snapshot keeps.
    private struct State: WireCodable {
        var totals = SalesReported()
        /// Ascending by reason.
        var reasons: [ReasonCount] = []
        /// Ascending by product.
        var shipped: [ProductUnits] = []
        /// Ascending by start, at most ``windowsMax``.
        var windows: [SalesWindow] = []
        var earlier = SalesWindow()

        mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
            try coder.field("totals", &self.totals)
            try coder.field("reasons", &self.reasons)
            try coder.field("shipped", &self.shipped)
            try coder.field("windows", &self.windows)
            try coder.field("earlier", &self.earlier)
        }
    }

    init(windowsMax: Int) {
        self.windowsMax = windowsMax
    }

    // MARK: Inputs

    mutating func placed(_ event: OrderPlaced, at time: Instant) {
        self.state.totals.ordersPlaced += 1
        for line in event.lines { self.state.totals.unitsOrdered += line.quantity }
        self.count(at: time) { $0.orders += 1 }
    }

    mutating func confirmed(_ event: OrderConfirmed) {
        self.state.totals.ordersConfirmed += 1
        self.state.totals.confirmed += event.total
    }

    mutating func cancelled(_ event: OrderCancelled) {
        self.state.totals.ordersCancelled += 1
        let hasRoom = self.state.reasons.count < Self.reasonsMax
        let isKnown = hasRoom || self.state.reasons.contains { $0.reason == event.reason }
        self.count(reason: isKnown ? event.reason : Self.otherReasons)
    }

    mutating func captured(_ event: PaymentCaptured, at time: Instant) {
        self.state.totals.paymentsCaptured += 1
        self.state.totals.captured += event.amount
        self.count(at: time) { $0.revenue += event.amount }
    }

    mutating func declined(_ event: PaymentDeclined) {
        self.state.totals.paymentsDeclined += 1
    }

    mutating func refunded(_ event: PaymentRefunded) {
        self.state.totals.paymentsRefunded += 1
        self.state.totals.refunded += event.amount
    }

    mutating func notified(_ event: NotificationSent) {
        self.state.totals.notificationsSent += 1
    }

    mutating func reserved(_ event: StockReserved) {
        self.state.totals.unitsReserved += event.quantity
    }

    mutating func refused(_ event: StockRefused) {
        self.state.totals.unitsRefused += event.quantity
    }

    mutating func released(_ event: StockReleased) {
        self.state.totals.unitsReleased += event.quantity
    }

    mutating func shipped(_ event: StockShipped) {
        self.state.totals.unitsShipped += event.quantity
        let place = self.state.shipped.place { $0.product < event.product }
        if place < self.state.shipped.count, self.state.shipped[place].product == event.product {
            self.state.shipped[place].units += event.quantity
        } else {
            let units = ProductUnits(product: event.product, units: event.quantity)
            self.state.shipped.insert(units, at: place)
        }
    }

    private mutating func count(reason: String) {
        let place = self.state.reasons.place { $0.reason < reason }
        if place < self.state.reasons.count, self.state.reasons[place].reason == reason {
            self.state.reasons[place].orders += 1
        } else {
            self.state.reasons.insert(ReasonCount(reason: reason, orders: 1), at: place)
        }
    }

    /// Counts in the minute of `time`, or with the earlier ones where that is no longer kept.
    private mutating func count(at time: Instant, _ add: (inout SalesWindow) -> Void) {
        let length = Self.windowLength
        let nanoseconds = time.nanoseconds
        let remainder = nanoseconds % length
        let start = Instant(
            nanoseconds: nanoseconds - (remainder < 0 ? remainder + length : remainder)
        )
        if let last = self.state.windows.indices.last, self.state.windows[last].start == start {
            add(&self.state.windows[last])
            return
        }
        let index = self.state.windows.place { $0.start < start }
        if index < self.state.windows.endIndex, self.state.windows[index].start == start {
            add(&self.state.windows[index])
            return
        }
        if index == 0, self.state.windows.count == self.windowsMax {
            add(&self.state.earlier)
            return
        }
        var window = SalesWindow(start: start, orders: 0, revenue: .zero)
        add(&window)
        self.state.windows.insert(window, at: index)
        guard self.state.windows.count > self.windowsMax else { return }
        let oldest = self.state.windows.removeFirst()
        self.state.earlier.orders += oldest.orders
        self.state.earlier.revenue += oldest.revenue
    }

    // MARK: Report

    /// The figures as they are published.
    func report(partition: Int) -> SalesReported {
        var report = self.state.totals
        report.partition = partition
        report.reasons = self.state.reasons
        let ranked = self.state.shipped.sorted { ($1.units, $0.product) < ($0.units, $1.product) }
        report.topProducts = Array(ranked.prefix(Self.topProductsMax))
        report.windows = self.state.windows
        report.earlier = self.state.earlier
        report.earlier.start = self.state.windows.first?.start ?? .zero
        return report
    }

    // MARK: Snapshots

    func snapshot() -> [UInt8] { self.state.encoded() }

    mutating func restore(from snapshot: [UInt8]) throws(WireError) {
        self.state = try State(decoding: snapshot)
    }
}

extension Array {
    /// The place of the first element, of an ascending list, that is not before what is looked for.
    fileprivate func place(isBefore: (Element) -> Bool) -> Int {
        var (low, high) = (0, self.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
