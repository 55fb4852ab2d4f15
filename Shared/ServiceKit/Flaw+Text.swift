extension Flaw {
    /// Where the bug sits.
    public var place: String {
        switch self {
        case .chargeWithoutKey, .timeoutMeansDeclined, .errorMeansPaid, .refundUnderOtherKey:
            "Payments"
        case .lostCompensation, .lateStockKept, .outOfStockKept, .partialRelease, .refundForgotten,
            .stockTimerNeverStopped, .confirmBeforePayment:
            "Orders"
        case .oversell, .shippedStaysInStock, .reservationsNotRestored: "Inventory"
        case .mailWithoutKey: "Notifications"
        case .emitOutsideTurn, .errorSwallowed, .snapshotOneBehind, .placesWithoutFigures,
            .retryBudgetIgnored:
            "ServiceKit"
        case .repeatsHandled, .subjectOrderLost, .damageUnnoticed: "client"
        case .acknowledgeBeforeCommit, .publishUnsynced, .publisherForgotten, .staleEpochAccepted,
            .epochReused, .rewoundKeepsState, .inflightLost, .journalCutShort,
            .gapAcknowledgementsForgotten,
            .timersForgotten, .timersEarly, .timersBySender, .failureForgotten, .creditLeak,
            .lostStaysLost,
            .delayOvertaken, .cutNeverHeals, .fullDiskConfirmed:
            "hub"
        case .tornTailKept, .rotCutOff: "log"
        case .partyForgetsKeys, .partyUnsynced: "outside party"
        }
    }

    /// What it does wrong, in a few words.
    public var summary: String {
        switch self {
        case .chargeWithoutKey: "charges under a new key at each attempt"
        case .timeoutMeansDeclined: "takes a bank that does not answer for one that declines"
        case .errorMeansPaid: "takes a bank that does not answer for one that has the money"
        case .refundUnderOtherKey: "asks for a refund under another key than the charge"
        case .lostCompensation: "keeps the stock of declined orders"
        case .lateStockKept: "keeps stock that is reserved after the order was cancelled"
        case .outOfStockKept: "keeps the other lines where one is out of stock"
        case .partialRelease: "gives back the first line only"
        case .refundForgotten: "cancels an overdue payment without a refund"
        case .stockTimerNeverStopped:
            "lets the timer for stock cancel an order that awaits its payment"
        case .confirmBeforePayment: "confirms an order when it asks for the money"
        case .oversell: "decides on the stock as it was before the turn beside it"
        case .shippedStaysInStock: "does not take what it ships out of its stock"
        case .reservationsNotRestored: "restores a snapshot without its reservations"
        case .mailWithoutKey: "sends each attempt under a new key"
        case .emitOutsideTurn: "sends events before the turn that they belong to"
        case .errorSwallowed: "acknowledges what a handler failed to handle"
        case .snapshotOneBehind: "saves the state as it was before the last turn"
        case .placesWithoutFigures: "commits a projection's places without its figures"
        case .repeatsHandled: "handles a delivery that comes twice"
        case .subjectOrderLost: "lets an event overtake an earlier one of its subject"
        case .acknowledgeBeforeCommit: "confirms commits that are not synced"
        case .publishUnsynced: "confirms what shoppers publish before it is synced"
        case .publisherForgotten: "forgets in a crash what a publisher has sent"
        case .staleEpochAccepted: "takes commits of an owner whose partition has moved"
        case .epochReused: "gives a partition to a new owner under the old epoch"
        case .rewoundKeepsState: "leaves a projection its figures when it is rewound"
        case .inflightLost: "forgets what the last owner was given and did not handle"
        case .journalCutShort: "leaves out the last change when a state is rebuilt"
        case .gapAcknowledgementsForgotten: "forgets in a crash what was handled out of order"
        case .timersForgotten: "forgets in a crash which timers were set"
        case .timersEarly: "lets timers fire half a second early"
        case .retryBudgetIgnored: "tries failed calls again although the budget is spent"
        case .timersBySender: "lets a timer fire by the clock of the service that set it"
        case .failureForgotten: "does not try again what failed"
        case .creditLeak: "loses a credit with each failed delivery"
        case .lostStaysLost: "does not try again what a link lost"
        case .delayOvertaken: "lets events overtake a delayed one of their subject"
        case .cutNeverHeals: "keeps holding what a cut held when it heals"
        case .fullDiskConfirmed: "confirms what it had no room for"
        case .damageUnnoticed: "takes what was damaged on its way for what was sent"
        case .tornTailKept: "appends behind a record that a crash tore"
        case .rotCutOff: "cuts off a record that rotted, and all behind it"
        case .partyForgetsKeys: "forgets in a crash which keys it has seen"
        case .partyUnsynced: "answers before its ledger is synced"
        }
    }
}
