import Chaos
import Mesh

/// Where the orders of a run come from: shoppers at a rate, or a history.
enum OrderSource {
    case shoppers(Shoppers)
    case history(HistoryPlayer)

    /// Returns the orders due up to and at `now`.
    mutating func due(now: Instant, unacknowledged: Int) -> [PlannedOrder] {
        switch self {
        case .shoppers(var shoppers):
            defer { self = .shoppers(shoppers) }
            return shoppers.due(now: now)
        case .history(var player):
            defer { self = .history(player) }
            return player.due(now: now, unacknowledged: unacknowledged)
        }
    }

    /// When the next order is due; nil where none will come.
    var nextDue: Instant? {
        switch self {
        case .shoppers(let shoppers): shoppers.nextDue
        case .history(let player): player.nextDue
        }
    }

    var isFinished: Bool {
        switch self {
        case .shoppers(let shoppers): shoppers.isFinished
        case .history(let player): player.isFinished
        }
    }

    /// Whether orders are placed as fast as they are taken.
    var isAtFullSpeed: Bool {
        if case .history(let player) = self { return player.speed == .max }
        return false
    }

    /// What the load is, in words.
    func text(now: Instant) -> String {
        switch self {
        case .shoppers(let shoppers): "\(shoppers.rate(at: now))"
        case .history(let player):
            switch player.speed {
            case .max: "history at full speed"
            case .times(let times): "history ×\(times)"
            }
        }
    }

    /// Ends the load.
    mutating func stop(now: Instant) {
        switch self {
        case .shoppers(var shoppers):
            shoppers.stop(now: now)
            self = .shoppers(shoppers)
        case .history(var player):
            player.stop()
            self = .history(player)
        }
    }

    /// Multiplies the rate for some time.
    ///
    /// - Throws: `ControlError` where a history sets the pace.
    mutating func spike(times: Int, for duration: Duration, now: Instant) throws(ControlError) {
        guard case .shoppers(var shoppers) = self else { throw Self.paced }
        shoppers.spike(times: times, for: duration, now: now)
        self = .shoppers(shoppers)
    }

    /// Sets the rate.
    ///
    /// - Throws: `ControlError` where a history sets the pace.
    mutating func setRate(_ rate: OrderRate, now: Instant) throws(ControlError) {
        guard case .shoppers(var shoppers) = self else { throw Self.paced }
        shoppers.setRate(rate, now: now)
        self = .shoppers(shoppers)
    }

    private static let paced = ControlError(
        "a history sets the pace of this run",
        hint: "squall up --rate 50"
    )
}
