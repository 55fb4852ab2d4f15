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
    private var totals = SalesReported()
    private var reasons: [String: Int] = [:]
    private var shipped: [ProductID: Int] = [:]
    /// Ascending by start, at most ``windowsMax``.
    private var windows: [SalesWindow] = []
    private var earlier = SalesWindow()

    init(windowsMax: Int) {
        self.windowsMax = windowsMax
    }

    // MARK: Inputs

    mutating func placed(_ event: OrderPlaced, at time: Instant) {
        self.totals.ordersPlaced += 1
        for line in event.lines { self.totals.unitsOrdered += line.quantity }
        self.count(at: time) { $0.orders += 1 }
    }

    mutating func confirmed(_ event: OrderConfirmed) {
        self.totals.ordersConfirmed += 1
        self.totals.confirmed += event.total
    }

    mutating func cancelled(_ event: OrderCancelled) {
        self.totals.ordersCancelled += 1
        let known = self.reasons[event.reason] != nil || self.reasons.count < Self.reasonsMax
        self.reasons[known ? event.reason : Self.otherReasons, default: 0] += 1
    }

    mutating func captured(_ event: PaymentCaptured, at time: Instant) {
        self.totals.paymentsCaptured += 1
        self.totals.captured += event.amount
        self.count(at: time) { $0.revenue += event.amount }
    }

    mutating func declined(_ event: PaymentDeclined) {
        self.totals.paymentsDeclined += 1
    }

    mutating func refunded(_ event: PaymentRefunded) {
        self.totals.paymentsRefunded += 1
        self.totals.refunded += event.amount
    }

    mutating func notified(_ event: NotificationSent) {
        self.totals.notificationsSent += 1
    }

    mutating func reserved(_ event: StockReserved) {
        self.totals.unitsReserved += event.quantity
    }

    mutating func refused(_ event: StockRefused) {
        self.totals.unitsRefused += event.quantity
    }

    mutating func released(_ event: StockReleased) {
        self.totals.unitsReleased += event.quantity
    }

    mutating func shipped(_ event: StockShipped) {
        self.totals.unitsShipped += event.quantity
        self.shipped[event.product, default: 0] += event.quantity
    }

    /// Counts in the minute of `time`, or with the earlier ones where that is no longer kept.
    private mutating func count(at time: Instant, _ add: (inout SalesWindow) -> Void) {
        let length = Self.windowLength
        let nanoseconds = time.nanoseconds
        let remainder = nanoseconds % length
        let start = Instant(
            nanoseconds: nanoseconds - (remainder < 0 ? remainder + length : remainder)
        )
        if let last = self.windows.indices.last, self.windows[last].start == start {
            add(&self.windows[last])
            return
        }
        let index = self.windows.firstIndex { $0.start >= start } ?? self.windows.endIndex
        if index < self.windows.endIndex, self.windows[index].start == start {
            add(&self.windows[index])
            return
        }
        if index == 0, self.windows.count == self.windowsMax {
            add(&self.earlier)
            return
        }
        var window = SalesWindow(start: start, orders: 0, revenue: .zero)
        add(&window)
        self.windows.insert(window, at: index)
        guard self.windows.count > self.windowsMax else { return }
        let oldest = self.windows.removeFirst()
        self.earlier.orders += oldest.orders
        self.earlier.revenue += oldest.revenue
    }

    // MARK: Report

    /// The figures as they are published.
    func report(partition: Int) -> SalesReported {
        var report = self.totals
        report.partition = partition
        report.reasons = self.sortedReasons()
        let ranked = self.shipped.sorted {
            ($1.value, $0.key) < ($0.value, $1.key)
        }
        report.topProducts = ranked.prefix(Self.topProductsMax).map {
            ProductUnits(product: $0.key, units: $0.value)
        }
        report.windows = self.windows
        report.earlier = self.earlier
        report.earlier.start = self.windows.first?.start ?? .zero
        return report
    }

    private func sortedReasons() -> [ReasonCount] {
        self.reasons.sorted { $0.key < $1.key }.map {
            ReasonCount(reason: $0.key, orders: $0.value)
        }
    }

    // MARK: Snapshots

    func snapshot() -> [UInt8] {
        var state = FiguresSnapshot()
        state.totals = self.totals
        state.reasons = self.sortedReasons()
        state.shipped = self.shipped.sorted { $0.key < $1.key }.map {
            ProductUnits(product: $0.key, units: $0.value)
        }
        state.windows = self.windows
        state.earlier = self.earlier
        return state.encoded()
    }

    mutating func restore(from snapshot: [UInt8]) throws(WireError) {
        let state = try FiguresSnapshot(decoding: snapshot)
        self.totals = state.totals
        self.reasons = [:]
        for count in state.reasons { self.reasons[count.reason] = count.orders }
        self.shipped = [:]
        for count in state.shipped { self.shipped[count.product] = count.units }
        self.windows = state.windows
        self.earlier = state.earlier
    }
}

private struct FiguresSnapshot: WireCodable {
    var totals = SalesReported()
    var reasons: [ReasonCount] = []
    var shipped: [ProductUnits] = []
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
