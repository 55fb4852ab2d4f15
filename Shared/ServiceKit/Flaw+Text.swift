extension Flaw {
    /// Where the bug sits.
    public var place: String {
        switch self {
        case .chargeWithoutKey: "Payments"
        case .emitOutsideTurn: "ServiceKit"
        case .lostCompensation: "Orders"
        case .oversell: "Inventory"
        case .acknowledgeBeforeCommit: "hub"
        case .staleEpochAccepted: "hub"
        }
    }

    /// What it does wrong, in a few words.
    public var summary: String {
        switch self {
        case .chargeWithoutKey: "charges under a new key at each attempt"
        case .emitOutsideTurn: "sends events before the turn that they belong to"
        case .lostCompensation: "keeps the stock of declined orders"
        case .oversell: "decides on the stock as it was before the turn beside it"
        case .acknowledgeBeforeCommit: "confirms commits that are not synced"
        case .staleEpochAccepted: "takes commits of an owner whose partition has moved"
        }
    }
}
