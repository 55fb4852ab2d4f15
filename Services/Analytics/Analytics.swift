import Events
import Mesh
public import ServiceKit

/// Counts what the others do: the funnel, the money, the products, the minutes.
///
/// A projection: it reads and never decides. Each partition reports its own share.
public actor Analytics: Projection {
    /// The service's name in the topology file.
    public static let name = "analytics"
    /// Which events it handles.
    public static let consumes: [Subscription<Analytics>] = [
        .on(OrderPlaced.self) { analytics, event, turn in
            turn.fold { analytics.figures.placed(event, at: turn.event.time) }
        },
        .on(OrderConfirmed.self) { analytics, event, turn in
            turn.fold { analytics.figures.confirmed(event) }
        },
        .on(OrderCancelled.self) { analytics, event, turn in
            turn.fold { analytics.figures.cancelled(event) }
        },
        .on(PaymentCaptured.self) { analytics, event, turn in
            turn.fold { analytics.figures.captured(event, at: turn.event.time) }
        },
        .on(PaymentDeclined.self) { analytics, event, turn in
            turn.fold { analytics.figures.declined(event) }
        },
        .on(PaymentRefunded.self) { analytics, event, turn in
            turn.fold { analytics.figures.refunded(event) }
        },
        .on(StockReserved.self) { analytics, event, turn in
            turn.fold { analytics.figures.reserved(event) }
        },
        .on(StockRefused.self) { analytics, event, turn in
            turn.fold { analytics.figures.refused(event) }
        },
        .on(StockReleased.self) { analytics, event, turn in
            turn.fold { analytics.figures.released(event) }
        },
        .on(StockShipped.self) { analytics, event, turn in
            turn.fold { analytics.figures.shipped(event) }
        },
        .on(NotificationSent.self) { analytics, event, turn in
            turn.fold { analytics.figures.notified(event) }
        },
    ]
    /// A snapshot for every 2000 events.
    public static let snapshotInterval = 2000

    /// What the service knows of the world.
    public nonisolated let host: any Host
    private var figures: SalesFigures

    /// Creates the service with all figures at zero.
    public init(host: any Host) {
        self.host = host
        var settings = Settings(host.settings)
        let windows = settings.count("windowsKept", default: 120, in: 1...10_000)
        self.figures = SalesFigures(windowsMax: windows)
        for problem in settings.problems() { host.log(.error, "\(problem); using the default") }
    }

    /// Emits the figures of this partition.
    public func publish(in turn: Turn<Analytics>) {
        turn.emit(self.figures.report(partition: self.host.partition))
    }

    /// Returns the figures.
    public func snapshot() -> [UInt8] { self.figures.snapshot() }

    /// Replaces the figures by a snapshot's.
    public func restore(from snapshot: [UInt8]) throws {
        try self.figures.restore(from: snapshot)
    }
}
