import Events
import Mesh
public import ServiceKit

/// Charges orders at the bank, and gives the money back.
///
/// It keeps no state: the bank remembers every key, and a charge that is tried again under the
/// order's id has no second effect. A bank that does not answer makes the event come again.
public actor Payments: Service {
    /// The service's name in the topology file.
    public static let name = "payments"
    /// Which events it handles.
    public static let consumes: [Subscription<Payments>] = [
        .on(PaymentRequested.self) { payments, event, turn in
            try await payments.charge(event, turn)
        },
        .on(RefundRequested.self) { payments, event, turn in
            try await payments.refund(event, turn)
        },
    ]

    /// What the service knows of the world.
    public nonisolated let host: any Host

    /// Creates the service.
    public init(host: any Host) {
        self.host = host
        for problem in Settings(host.settings).problems() { host.log(.error, problem) }
    }

    private func charge(_ event: PaymentRequested, _ turn: Turn<Payments>) async throws {
        let key = self.key(event.order, turn)
        let answer: BankAnswer
        do {
            answer = try await turn.outside(Bank.self).charge(event.amount, key: key)
        } catch {
            // The planted bugs: no answer is taken for one.
            let outcome = self.host.flaws.outcomeOfNoAnswer
            guard let outcome else { throw error }
            answer = BankAnswer(outcome: outcome, amount: event.amount, receipt: "")
        }
        let answers = answer.outcome != .unknown
        guard answers, answer.amount == event.amount || answer.outcome == .voided else {
            throw PaymentMismatch(
                message: "order \(event.order): asked to charge \(event.amount), and the bank "
                    + "answered '\(answer.outcome.rawValue)' and \(answer.amount); "
                    + "ask the bank for the status of that key"
            )
        }
        turn.decide {
            switch answer.outcome {
            case .captured:
                turn.emit(
                    PaymentCaptured(
                        order: event.order,
                        amount: answer.amount,
                        receipt: answer.receipt
                    )
                )
            case .declined, .refunded, .voided, .unknown:
                turn.emit(
                    PaymentDeclined(
                        order: event.order,
                        amount: event.amount,
                        reason: "the bank says: \(answer.outcome.rawValue)"
                    )
                )
            }
        }
    }

    private func refund(_ event: RefundRequested, _ turn: Turn<Payments>) async throws {
        let isFlawed = self.host.flaws.has(.refundUnderOtherKey)
        let key = isFlawed ? "refund-\(event.order)" : event.order.rawValue
        let answer = try await turn.outside(Bank.self).refund(key: key)
        turn.decide {
            let refunded = answer.outcome == .refunded ? answer.amount : .zero
            turn.emit(PaymentRefunded(order: event.order, amount: refunded))
        }
    }

    private func key(_ order: OrderID, _ turn: Turn<Payments>) -> String {
        guard self.host.flaws.has(.chargeWithoutKey) else { return order.rawValue }
        // The planted bug: a new key for each attempt.
        return "\(order)/\(turn.attempt)-\(Hex.text(self.host.random()))"
    }
}

extension Flaws {
    /// What a planted bug makes of a bank that did not answer.
    fileprivate var outcomeOfNoAnswer: BankAnswer.Outcome? {
        if self.has(.timeoutMeansDeclined) { return .declined }
        return self.has(.errorMeansPaid) ? .captured : nil
    }
}

/// Why an answer of the bank cannot be the answer to the request.
struct PaymentMismatch: Error, CustomStringConvertible {
    var message: String
    var description: String { self.message }
}
