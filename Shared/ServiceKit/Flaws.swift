/// A bug that can be planted on purpose, to see that it is caught.
public enum Flaw: String, Sendable, Hashable, CaseIterable {
    /// Payments charges under a new key at each attempt.
    case chargeWithoutKey = "charge-without-key"
    /// A service sends an event before its turn has committed.
    case emitOutsideTurn = "emit-outside-turn"
    /// Orders forgets to give stock back when the bank declines.
    case lostCompensation = "lost-compensation"
    /// Inventory decides on the stock as it was before the turn that ran beside it.
    case oversell = "oversell"
    /// A service acknowledges an event before what it decided is durable.
    case acknowledgeBeforeCommit = "ack-before-commit"
    /// The hub takes commits of an owner whose partition has moved.
    case staleEpochAccepted = "stale-epoch-accepted"
}

/// The bugs planted in a run, by name; none by default.
public struct Flaws: Sendable, Hashable {
    /// The names of the planted bugs.
    public var names: Set<String>

    /// Creates a set of planted bugs; empty by default.
    public init(names: Set<String> = []) {
        self.names = names
    }

    /// Returns whether that bug is planted.
    public func has(_ flaw: Flaw) -> Bool {
        !self.names.isEmpty && self.names.contains(flaw.rawValue)
    }
}
