import Events
import Mesh
import ServiceKit

/// What Orders does about one event: what to remember, and what to tell the others.
struct OrderDecision: Hashable, Sendable {
    var changes: [OrderChange] = []
    var actions: [OrderAction] = []
}

/// One thing that Orders tells the others, or itself.
enum OrderAction: Hashable, Sendable {
    case requestStock(StockRequested)
    case releaseStock(StockReleaseRequested)
    case shipStock(StockShipRequested)
    case requestPayment(PaymentRequested)
    case requestRefund(RefundRequested)
    case confirm(OrderConfirmed)
    case cancel(OrderCancelled)
    case startTimer(OrderWait, OrderID)
    case stopTimer(OrderWait, OrderID)
}

/// What an order waits for, and not for ever.
enum OrderWait: String, Hashable, Sendable {
    case stock
    case payment

    /// The name of the timer that ends the wait.
    func timerName(_ order: OrderID) -> String { self.rawValue + "-" + order.rawValue }
}

/// Why orders are cancelled: a few fixed texts, so that they can be counted.
enum CancelReason {
    static let invalid = "the order is not valid"
    static let outOfStock = "not enough stock"
    static let declined = "the bank declined the payment"
    static let stockOverdue = "the stock was not reserved in time"
    static let paymentOverdue = "the payment was not answered in time"
}

/// Leads every order of one partition from placed to exactly one of its two ends.
///
/// The inputs only read and return a decision; state changes in ``apply(_:)`` alone, so that the
/// journal rebuilds it. Answers may come late, twice or never: an order that ended stays known,
/// and stock that is reserved for it after it was cancelled is given back.
struct OrderStateMachine: Sendable, Hashable {
    private static let confirmedMark: UInt8 = 1
    private static let cancelledMark: UInt8 = 2

    private(set) var open: [OrderID: OpenOrder] = [:]
    private var ended = MarkedIDs()
    private let flaws: Flaws

    init(flaws: Flaws = Flaws()) {
        self.flaws = flaws
    }

    func isConfirmed(_ order: OrderID) -> Bool {
        self.ended[order.rawValue] == Self.confirmedMark
    }

    func isCancelled(_ order: OrderID) -> Bool {
        self.ended[order.rawValue] == Self.cancelledMark
    }

    // MARK: Inputs

    func placed(_ event: OrderPlaced) -> OrderDecision {
        guard self.open[event.order] == nil, self.ended[event.order.rawValue] == 0 else {
            return OrderDecision()
        }
        let order = OpenOrder(placed: event)
        var decision = OrderDecision(changes: [.opened(order)])
        let valid = event.total >= .zero && event.lines.allSatisfy { $0.quantity > 0 }
        guard valid, !event.lines.isEmpty else {
            self.cancel(order, CancelReason.invalid, &decision)
            return decision
        }
        for (number, line) in order.lines.enumerated() {
            decision.actions.append(
                .requestStock(
                    StockRequested(
                        order: order.order,
                        line: number,
                        product: line.product,
                        quantity: line.quantity
                    )
                )
            )
        }
        decision.actions.append(.startTimer(.stock, order.order))
        return decision
    }

    func stockReserved(_ event: StockReserved) -> OrderDecision {
        let isOpen = self.open[event.order] != nil
        if !isOpen, self.isCancelled(event.order), !self.flaws.has(.lateStockKept) {
            let release = StockReleaseRequested(
                order: event.order,
                line: event.line,
                product: event.product,
                quantity: event.quantity
            )
            return OrderDecision(actions: [.releaseStock(release)])
        }
        return self.answered(event.order, event.line, event.product, .reserved)
    }

    func stockRefused(_ event: StockRefused) -> OrderDecision {
        self.answered(event.order, event.line, event.product, .refused)
    }

    func paymentCaptured(_ event: PaymentCaptured) -> OrderDecision {
        guard let order = self.open[event.order], order.phase == .awaitingPayment else {
            return OrderDecision()
        }
        var decision = OrderDecision(actions: [.stopTimer(.payment, order.order)])
        self.confirm(order, receipt: event.receipt, &decision)
        return decision
    }

    func paymentDeclined(_ event: PaymentDeclined) -> OrderDecision {
        guard let order = self.open[event.order], order.phase == .awaitingPayment else {
            return OrderDecision()
        }
        var decision = OrderDecision(actions: [.stopTimer(.payment, order.order)])
        if !self.flaws.has(.lostCompensation) { self.release(order, &decision) }
        self.cancel(order, CancelReason.declined, &decision)
        return decision
    }

    func stockOverdue(_ event: StockOverdue) -> OrderDecision {
        guard let order = self.open[event.order],
            order.phase == .awaitingStock || self.flaws.has(.stockTimerNeverStopped)
        else { return OrderDecision() }
        var decision = OrderDecision()
        self.release(order, &decision)
        self.cancel(order, CancelReason.stockOverdue, &decision)
        return decision
    }

    func paymentOverdue(_ event: PaymentOverdue) -> OrderDecision {
        guard let order = self.open[event.order], order.phase == .awaitingPayment else {
            return OrderDecision()
        }
        // The charge may still happen: the refund follows it under the same subject.
        var decision = OrderDecision(actions: [
            .requestRefund(
                RefundRequested(
                    order: order.order,
                    amount: order.total,
                    reason: CancelReason.paymentOverdue
                )
            )
        ])
        if self.flaws.has(.refundForgotten) { decision.actions = [] }
        self.release(order, &decision)
        self.cancel(order, CancelReason.paymentOverdue, &decision)
        return decision
    }

    // MARK: Decisions

    private func answered(
        _ id: OrderID,
        _ line: Int,
        _ product: ProductID,
        _ answer: OpenOrder.Answer
    ) -> OrderDecision {
        guard var order = self.open[id], order.phase == .awaitingStock,
            order.lines.indices.contains(line), order.lines[line].product == product,
            order.lines[line].answer == .none
        else { return OrderDecision() }
        order.lines[line].answer = answer
        var decision = OrderDecision(changes: [
            answer == .reserved ? .reserved(id, line: line) : .refused(id, line: line)
        ])
        if order.lines.contains(where: { $0.answer == .none }) { return decision }

        if !self.flaws.has(.stockTimerNeverStopped) {
            decision.actions.append(.stopTimer(.stock, id))
        }
        if order.lines.contains(where: { $0.answer == .refused }) {
            if !self.flaws.has(.outOfStockKept) { self.release(order, &decision) }
            self.cancel(order, CancelReason.outOfStock, &decision)
        } else if order.total == .zero {
            self.confirm(order, receipt: "", &decision)
        } else {
            decision.changes.append(.paymentRequested(id))
            decision.actions.append(
                .requestPayment(
                    PaymentRequested(order: id, customer: order.customer, amount: order.total)
                )
            )
            decision.actions.append(.startTimer(.payment, id))
            if self.flaws.has(.confirmBeforePayment) {
                self.confirm(order, receipt: "", &decision)
            }
        }
        return decision
    }

    private func confirm(_ order: OpenOrder, receipt: String, _ decision: inout OrderDecision) {
        for (number, line) in order.lines.enumerated() {
            decision.actions.append(
                .shipStock(
                    StockShipRequested(
                        order: order.order,
                        line: number,
                        product: line.product,
                        quantity: line.quantity
                    )
                )
            )
        }
        decision.changes.append(.confirmed(order.order))
        decision.actions.append(
            .confirm(
                OrderConfirmed(
                    order: order.order,
                    customer: order.customer,
                    total: order.total,
                    receipt: receipt
                )
            )
        )
    }

    private func release(_ order: OpenOrder, _ decision: inout OrderDecision) {
        let reserved = order.lines(answered: .reserved)
        for number in self.flaws.has(.partialRelease) ? Array(reserved.prefix(1)) : reserved {
            decision.actions.append(
                .releaseStock(
                    StockReleaseRequested(
                        order: order.order,
                        line: number,
                        product: order.lines[number].product,
                        quantity: order.lines[number].quantity
                    )
                )
            )
        }
    }

    private func cancel(_ order: OpenOrder, _ reason: String, _ decision: inout OrderDecision) {
        decision.changes.append(.cancelled(order.order))
        decision.actions.append(
            .cancel(
                OrderCancelled(
                    order: order.order,
                    customer: order.customer,
                    total: order.total,
                    reason: reason
                )
            )
        )
    }

    // MARK: Changes

    mutating func apply(_ change: OrderChange) {
        switch change.kind {
        case .opened: self.open[change.order] = change.opened
        case .lineReserved: self.open[change.order]?.lines[change.line].answer = .reserved
        case .lineRefused: self.open[change.order]?.lines[change.line].answer = .refused
        case .paymentRequested: self.open[change.order]?.phase = .awaitingPayment
        case .confirmed: self.end(change.order, Self.confirmedMark)
        case .cancelled: self.end(change.order, Self.cancelledMark)
        }
    }

    private mutating func end(_ order: OrderID, _ mark: UInt8) {
        self.open[order] = nil
        self.ended.mark(order.rawValue, as: mark)
    }

    // MARK: Snapshots

    func snapshot() -> [UInt8] {
        var state = OrderSnapshot()
        state.open = self.open.values.sorted { $0.order < $1.order }
        state.ended = self.ended
        return state.encoded()
    }

    mutating func restore(from snapshot: [UInt8]) throws(WireError) {
        let state = try OrderSnapshot(decoding: snapshot)
        self.open = [:]
        for order in state.open { self.open[order.order] = order }
        self.ended = state.ended
    }
}

private struct OrderSnapshot: WireCodable {
    var open: [OpenOrder] = []
    var ended = MarkedIDs()

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("open", &self.open)
        try coder.field("ended", &self.ended)
    }
}
