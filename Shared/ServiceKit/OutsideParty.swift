public import Mesh

/// The typed face of an outside party: what a service calls.
///
/// ```swift
/// let answer = try await turn.outside(Bank.self).charge(amount, key: "order-17")
/// ```
public protocol OutsideParty: Sendable {
    /// The party's name in the topology file.
    static var name: String { get }
    /// Creates a face that calls through `caller`.
    init(caller: OutsideCaller)
}

/// Carries requests from one turn to one outside party.
public struct OutsideCaller: Sendable {
    private let host: any Host
    private let party: String
    private let attempt: Int

    /// Creates a caller of `party` through `host`, for that attempt to handle an event.
    public init(host: any Host, party: String, attempt: Int = 1) {
        self.host = host
        self.party = party
        self.attempt = attempt
    }

    /// Sends a request and waits for its answer, as long as the service's `callTimeout` says where
    /// nobody says otherwise.
    ///
    /// A later attempt needs a token of the service's `retryBudget`, where it has one.
    ///
    /// - Throws: ``OutsideError``; after `.timedOut` the party may have done what was asked, so
    ///   every request that changes something carries an idempotency key.
    public func call<Request: WireCodable, Answer: WireCodable>(
        _ request: Request,
        timeout: Duration? = nil
    ) async throws -> Answer {
        guard self.host.mayCall(self.party, attempt: self.attempt) else {
            let what = "the retry budget for \(self.party) is spent; it was not asked"
            throw OutsideError(.unreachable, what)
        }
        let timeout = timeout ?? self.host.callTimeout
        let bytes = try await self.host.call(self.party, request.encoded(), timeout: timeout)
        do {
            return try Answer(decoding: bytes)
        } catch {
            throw OutsideError(.malformed, "\(self.party) answered what is no answer: \(error)")
        }
    }
}
