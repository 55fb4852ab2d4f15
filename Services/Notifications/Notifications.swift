import Events
import Mesh
public import ServiceKit

/// Tells each customer once how an order ended.
///
/// It keeps no state: the mail relay sends one message for each key, and the key is made of the
/// order and its end.
public actor Notifications: Service {
    /// The service's name in the topology file.
    public static let name = "notifications"
    /// Which events it handles.
    public static let consumes: [Subscription<Notifications>] = [
        .on(OrderConfirmed.self) { notifications, event, turn in
            try await notifications.tell(
                event.order,
                event.customer,
                "confirmed",
                "Your order \(event.order) over \(event.total) is on its way.",
                turn
            )
        },
        .on(OrderCancelled.self) { notifications, event, turn in
            try await notifications.tell(
                event.order,
                event.customer,
                "cancelled",
                "Your order \(event.order) over \(event.total) is cancelled: \(event.reason).",
                turn
            )
        },
    ]

    /// What the service knows of the world.
    public nonisolated let host: any Host

    /// Creates the service.
    public init(host: any Host) {
        self.host = host
        for problem in Settings(host.settings).problems() { host.log(.error, problem) }
    }

    private func tell(
        _ order: OrderID,
        _ customer: CustomerID,
        _ kind: String,
        _ text: String,
        _ turn: Turn<Notifications>
    ) async throws {
        // The planted bug: a new key for each attempt.
        let isFlawed = self.host.flaws.has(.mailWithoutKey)
        let answer = try await turn.outside(MailRelay.self).send(
            key: "\(order)-\(kind)" + (isFlawed ? "/\(Hex.text(self.host.random()))" : ""),
            to: customer,
            text: text
        )
        turn.decide {
            turn.emit(
                NotificationSent(
                    order: order,
                    customer: customer,
                    kind: kind,
                    message: answer.message
                )
            )
        }
    }
}
