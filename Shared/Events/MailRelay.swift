public import Mesh
public import ServiceKit

/// The mail relay: sends messages to customers, one for each idempotency key.
public struct MailRelay: OutsideParty {
    /// The mail relay's name in the topology file.
    public static let name = "mail"
    private let caller: OutsideCaller

    /// Creates a face that calls through `caller`.
    public init(caller: OutsideCaller) {
        self.caller = caller
    }

    /// Sends a message under `key`, or returns the one sent before under that key.
    ///
    /// - Throws: `OutsideError`; after `.timedOut` the message may have been sent.
    public func send(
        key: String,
        to customer: CustomerID,
        text: String
    ) async throws -> MailAnswer {
        try await self.caller.call(
            MailRequest(kind: .send, key: key, customer: customer, text: text)
        )
    }

    /// Returns what became of `key`, without sending anything.
    ///
    /// - Throws: `OutsideError`.
    public func status(key: String) async throws -> MailAnswer {
        try await self.caller.call(MailRequest(kind: .status, key: key))
    }
}

/// A request to the mail relay.
public struct MailRequest: WireCodable, Hashable {
    /// What the mail relay is asked to do.
    public enum Kind: String, Sendable, CaseIterable {
        /// Send a message.
        case send
        /// Say whether it was sent.
        case status
    }

    /// What the mail relay is asked to do.
    public var kind = Kind.status
    /// The idempotency key.
    public var key = ""
    /// Who gets the message.
    public var customer = CustomerID()
    /// What it says.
    public var text = ""

    /// Creates an empty request.
    public init() {}

    /// Creates a request.
    public init(kind: Kind, key: String, customer: CustomerID = CustomerID(), text: String = "") {
        self.kind = kind
        self.key = key
        self.customer = customer
        self.text = text
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("kind", &self.kind)
        try coder.field("key", &self.key)
        try coder.field("customer", &self.customer)
        try coder.field("text", &self.text)
    }
}

/// What the mail relay says about a key.
public struct MailAnswer: WireCodable, Hashable {
    /// What became of a key.
    public enum Outcome: String, Sendable, CaseIterable {
        /// The message was sent.
        case sent
        /// The mail relay never heard of the key.
        case unknown
    }

    /// What became of the key.
    public var outcome = Outcome.unknown
    /// The mail relay's id of the message; empty where none was sent.
    public var message = ""

    /// Creates an empty answer.
    public init() {}

    /// Creates an answer.
    public init(outcome: Outcome, message: String = "") {
        self.outcome = outcome
        self.message = message
    }

    /// Codes the fields.
    @inlinable
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {
        try coder.field("outcome", &self.outcome)
        try coder.field("message", &self.message)
    }
}
