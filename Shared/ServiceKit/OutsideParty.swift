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

    /// Creates a caller of `party` through `host`.
    public init(host: any Host, party: String) {
        self.host = host
        self.party = party
    }

    /// Sends a request and waits for its answer.
    ///
    /// - Throws: ``OutsideError``; after `.timedOut` the party may have done what was asked, so
    ///   every request that changes something carries an idempotency key.
    public func call<Request: WireCodable, Answer: WireCodable>(
        _ request: Request,
        timeout: Duration = .seconds(2)
    ) async throws -> Answer {
        let bytes = try await self.host.call(self.party, request.encoded(), timeout: timeout)
        do {
            return try Answer(decoding: bytes)
        } catch {
            throw OutsideError(.malformed, "\(self.party) answered what is no answer: \(error)")
        }
    }
}
