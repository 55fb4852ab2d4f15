/// A bug that can be planted on purpose, to see that it is caught.
public enum Flaw: String, Sendable, Hashable, CaseIterable {
    /// Payments charges under a new key at each attempt.
    case chargeWithoutKey = "charge-without-key"
    /// Payments takes a bank that does not answer for one that declines.
    case timeoutMeansDeclined = "timeout-means-declined"
    /// Payments takes a bank that does not answer for one that has the money.
    case errorMeansPaid = "error-means-paid"
    /// Payments asks for a refund under another key than the charge.
    case refundUnderOtherKey = "refund-under-other-key"
    /// Orders keeps the stock of declined orders.
    case lostCompensation = "lost-compensation"
    /// Orders keeps stock that is reserved after the order was cancelled.
    case lateStockKept = "late-stock-kept"
    /// Orders keeps the other lines where one is out of stock.
    case outOfStockKept = "out-of-stock-kept"
    /// Orders gives back the first line only.
    case partialRelease = "partial-release"
    /// Orders cancels an overdue payment without a refund.
    case refundForgotten = "refund-forgotten"
    /// Orders lets the timer for stock cancel an order that awaits its payment.
    case stockTimerNeverStopped = "stock-timer-never-stopped"
    /// Orders confirms an order when it asks for the money.
    case confirmBeforePayment = "confirm-before-payment"
    /// Inventory decides on the stock as it was before the turn beside it.
    case oversell
    /// Inventory does not take what it ships out of its stock.
    case shippedStaysInStock = "shipped-stays-in-stock"
    /// Inventory restores a snapshot without its reservations.
    case reservationsNotRestored = "reservations-not-restored"
    /// Notifications sends each attempt under a new key.
    case mailWithoutKey = "mail-without-key"
    /// The service kit sends events before the turn that they belong to.
    case emitOutsideTurn = "emit-outside-turn"
    /// The service kit acknowledges what a handler failed to handle.
    case errorSwallowed = "error-swallowed"
    /// The service kit saves the state as it was before the last turn.
    case snapshotOneBehind = "snapshot-one-behind"
    /// The service kit commits a projection's places without its figures.
    case placesWithoutFigures = "places-without-figures"
    /// A client handles a delivery that comes twice.
    case repeatsHandled = "repeats-handled"
    /// A client lets an event overtake an earlier one of its subject.
    case subjectOrderLost = "subject-order-lost"
    /// The hub confirms commits that are not synced.
    case acknowledgeBeforeCommit = "ack-before-commit"
    /// The hub confirms what shoppers publish before it is synced.
    case publishUnsynced = "publish-unsynced"
    /// The hub forgets in a crash what a publisher has sent.
    case publisherForgotten = "publisher-forgotten"
    /// The hub takes commits of an owner whose partition has moved.
    case staleEpochAccepted = "stale-epoch-accepted"
    /// The hub gives a partition to a new owner under the old epoch.
    case epochReused = "epoch-reused"
    /// The hub leaves a projection its figures when it is rewound.
    case rewoundKeepsState = "rewound-keeps-state"
    /// The hub forgets what the last owner was given and did not handle.
    case inflightLost = "inflight-lost"
    /// The hub leaves out the last change when a state is rebuilt.
    case journalCutShort = "journal-cut-short"
    /// The hub forgets in a crash what was handled out of order.
    case gapAcknowledgementsForgotten = "gap-acks-forgotten"
    /// The hub forgets in a crash which timers were set.
    case timersForgotten = "timers-forgotten"
    /// The hub lets timers fire half a second early.
    case timersEarly = "timers-early"
    /// ServiceKit lets every failed call of an outside party be tried again at once.
    case retryBudgetIgnored = "retry-budget-ignored"
    /// The hub lets a timer fire by the clock of the service that set it.
    case timersBySender = "timers-by-sender"
    /// The hub does not try again what failed.
    case failureForgotten = "failure-forgotten"
    /// The hub loses a credit with each failed delivery.
    case creditLeak = "credit-leak"
    /// The hub does not try again what a link lost.
    case lostStaysLost = "lost-stays-lost"
    /// The hub lets events overtake a delayed one of their subject.
    case delayOvertaken = "delay-overtaken"
    /// The hub keeps holding what a cut held when it heals.
    case cutNeverHeals = "cut-never-heals"
    /// The hub confirms what it had no room for.
    case fullDiskConfirmed = "full-disk-confirmed"
    /// A client takes what was damaged on its way for what was sent.
    case damageUnnoticed = "damage-unnoticed"
    /// The log appends behind a record that a crash tore.
    case tornTailKept = "torn-tail-kept"
    /// The log takes a record that rotted for one that a crash tore.
    case rotCutOff = "rot-cut-off"
    /// An outside party forgets in a crash which keys it has seen.
    case partyForgetsKeys = "party-forgets-keys"
    /// An outside party answers before its ledger is synced.
    case partyUnsynced = "party-unsynced"
}

/// The bugs planted in a run, by name; none by default.
public struct Flaws: Sendable, Hashable {
    /// The names of the planted bugs.
    public var names: Set<String>

    /// Creates a set of planted bugs; empty by default.
    public init(names: Set<String> = []) {
        self.names = names
    }

    /// Reads the names of planted bugs, with commas between them.
    package init(text: String) {
        self.names = Set(text.split(separator: ",").map(String.init))
    }

    /// The names as ``init(text:)`` reads them.
    package var text: String { self.names.sorted().joined(separator: ",") }

    /// Returns whether that bug is planted.
    public func has(_ flaw: Flaw) -> Bool {
        !self.names.isEmpty && self.names.contains(flaw.rawValue)
    }
}
