import Events
import Mesh
public import ServiceKit

/// Leads each order from placed to confirmed or cancelled, and undoes what was begun in between.
///
/// Its subject is the order. It asks Inventory for each line, then Payments for the money, and
/// waits for neither longer than its settings `stockTimeout` and `paymentTimeout` say.
public actor Orders: Service {
    /// The service's name in the topology file.
    public static let name = "orders"
    /// Which events it handles.
    public static let consumes: [Subscription<Orders>] = [
        .on(OrderPlaced.self) { orders, event, turn in
            orders.follow(turn) { orders.machine.placed(event) }
        },
        .on(StockReserved.self) { orders, event, turn in
            orders.follow(turn) { orders.machine.stockReserved(event) }
        },
        .on(StockRefused.self) { orders, event, turn in
            orders.follow(turn) { orders.machine.stockRefused(event) }
        },
        .on(PaymentCaptured.self) { orders, event, turn in
            orders.follow(turn) { orders.machine.paymentCaptured(event) }
        },
        .on(PaymentDeclined.self) { orders, event, turn in
            orders.follow(turn) { orders.machine.paymentDeclined(event) }
        },
        .on(StockOverdue.self) { orders, event, turn in
            orders.follow(turn) { orders.machine.stockOverdue(event) }
        },
        .on(PaymentOverdue.self) { orders, event, turn in
            orders.follow(turn) { orders.machine.paymentOverdue(event) }
        },
    ]
    /// A snapshot for every 2000 commits.
    public static let snapshotInterval = 2000

    /// What the service knows of the world.
    public nonisolated let host: any Host
    private let stockTimeout: Duration
    private let paymentTimeout: Duration
    private var machine: OrderStateMachine

    /// Creates the service without orders.
    public init(host: any Host) {
        self.host = host
        var settings = Settings(host.settings)
        self.stockTimeout = settings.duration("stockTimeout", default: .seconds(60))
        self.paymentTimeout = settings.duration("paymentTimeout", default: .seconds(60))
        self.machine = OrderStateMachine(flaws: host.flaws)
        for problem in settings.problems() { host.log(.error, "\(problem); using the default") }
    }

    private func follow(_ turn: Turn<Orders>, _ input: () -> OrderDecision) {
        turn.decide {
            let decision = input()
            for change in decision.changes { turn.record(change) }
            for action in decision.actions { self.perform(action, turn) }
        }
    }

    private func perform(_ action: OrderAction, _ turn: Turn<Orders>) {
        switch action {
        case .requestStock(let event): turn.emit(event)
        case .releaseStock(let event): turn.emit(event)
        case .shipStock(let event): turn.emit(event)
        case .requestPayment(let event): turn.emit(event)
        case .requestRefund(let event): turn.emit(event)
        case .confirm(let event): turn.emit(event)
        case .cancel(let event): turn.emit(event)
        case .startTimer(.stock, let order):
            turn.schedule(
                StockOverdue(order: order),
                after: self.stockTimeout,
                name: OrderWait.stock.timerName(order)
            )
        case .startTimer(.payment, let order):
            turn.schedule(
                PaymentOverdue(order: order),
                after: self.paymentTimeout,
                name: OrderWait.payment.timerName(order)
            )
        case .stopTimer(let wait, let order):
            turn.cancel(timer: wait.timerName(order))
        }
    }

    /// Changes the state.
    public func apply(_ change: OrderChange) {
        self.machine.apply(change)
    }

    /// Returns the open orders and the ids of the ended ones.
    public func snapshot() -> [UInt8] { self.machine.snapshot() }

    /// Replaces the state by a snapshot's.
    public func restore(from snapshot: [UInt8]) throws {
        try self.machine.restore(from: snapshot)
    }
}
