public import Mesh
public import ServiceKit

/// The bank: charges and refunds, each under an idempotency key.
///
/// A key is charged at most once, however often it is asked for. A refund of a key that was never
/// charged voids it: a charge that arrives later is refused.
public struct Bank: OutsideParty {
    /// The bank's name in the topology file.
    public static let name = "bank"
    private let caller: OutsideCaller

    /// Creates a face that calls through `caller`.
    public init(caller: OutsideCaller) {
        self.caller = caller
    }

    /// Charges `amount` under `key`, or returns what became of the key before.
    ///
    /// - Throws: `OutsideError`; after `.timedOut` the key may have been charged.
    public func charge(_ amount: Money, key: String) async throws -> BankAnswer {
        try await self.caller.call(BankRequest(kind: .charge, key: key, amount: amount))
    }

    /// Gives back what was charged under `key`, or voids the key where nothing was.
    ///
    /// - Throws: `OutsideError`; after `.timedOut` the refund may have happened.
    public func refund(key: String) async throws -> BankAnswer {
        try await self.caller.call(BankRequest(kind: .refund, key: key))
    }

    /// Returns what became of `key`, without changing anything.
    ///
    /// - Throws: `OutsideError`.
    public func status(key: String) async throws -> BankAnswer {
        try await self.caller.call(BankRequest(kind: .status, key: key))
    }
}

/// A request to the bank.
public struct BankRequest: WireCodable, Hashable {
    /// What the bank is asked to do.
    public enum Kind: String, Sendable, CaseIterable {
        /// Take money.
        case charge
        /// Give it back, or see that it is never taken.
        case refund
        /// Say what happened.
        case status
    }

    /// What the bank is asked to do.
    public var kind = Kind.status
    /// The idempotency key.
    public var key = ""
    /// How much to charge; zero where nothing is charged.
    public var amount = Money()

    /// Creates an empty request.
    public init() {}

    /// Creates a request.
    public init(kind: Kind, key: String, amount: Money = .zero) {
        self.kind = kind
        self.key = key
        self.amount = amount
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("kind", &self.kind)
        try coder.field("key", &self.key)
        try coder.field("amount", &self.amount)
    }
}

/// What the bank says about a key.
public struct BankAnswer: WireCodable, Hashable {
    /// What became of a key.
    public enum Outcome: String, Sendable, CaseIterable {
        /// The amount was taken.
        case captured
        /// The bank refused to take it.
        case declined
        /// The amount was taken and given back.
        case refunded
        /// The key was given up before anything was taken; it can't be charged any more.
        case voided
        /// The bank never heard of the key.
        case unknown
    }

    /// What became of the key.
    public var outcome = Outcome.unknown
    /// The amount asked for; zero where the key was never charged.
    public var amount = Money()
    /// The bank's receipt; empty where nothing was taken.
    public var receipt = ""

    /// Creates an empty answer.
    public init() {}

    /// Creates an answer.
    public init(outcome: Outcome, amount: Money = .zero, receipt: String = "") {
        self.outcome = outcome
        self.amount = amount
        self.receipt = receipt
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("outcome", &self.outcome)
        try coder.field("amount", &self.amount)
        try coder.field("receipt", &self.receipt)
    }
}
