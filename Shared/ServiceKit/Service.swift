public import Mesh

/// A capability of the back end: an actor that handles events.
///
/// One actor runs for each partition of the service's state. It owns that state; nothing else
/// reads it. State changes only in ``apply(_:)``, which runs when a turn decides and again when
/// the state is rebuilt from the journal.
///
/// ```swift
/// public actor Payments: Service {
///     public static let name = "payments"
///     public static let consumes: [Subscription<Payments>] = [
///         .on(PaymentRequested.self) { try await $0.handle($1, in: $2) }
///     ]
///     public let host: any Host
///     private var receipts: [OrderID: Receipt] = [:]
///     public init(host: any Host) { self.host = host }
/// }
/// ```
public protocol Service: Actor {
    /// What a turn records, and the journal keeps.
    associatedtype Change: WireCodable = NoChange

    /// The service's name in the topology file.
    static var name: String { get }
    /// Which events it handles, each with its handler.
    static var consumes: [Subscription<Self>] { get }
    /// How many commits of a partition pass between two snapshots; 0 for none.
    static var snapshotInterval: Int { get }

    /// The host that was passed to `init`.
    nonisolated var host: any Host { get }
    /// Creates the service with empty state.
    init(host: any Host)
    /// Changes the state: the only place that does.
    func apply(_ change: Change)
    /// Returns the whole state, for ``restore(from:)``.
    func snapshot() -> [UInt8]
    /// Replaces the state by a snapshot's.
    func restore(from snapshot: [UInt8]) throws
}

extension Service {
    /// The host's executor, for every service.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.host.executor }
    /// No snapshots: the state is rebuilt from the whole journal.
    public static var snapshotInterval: Int { 0 }
    /// An empty snapshot, for services that take none.
    public func snapshot() -> [UInt8] { [] }
    /// Does nothing, for services that take no snapshots.
    public func restore(from snapshot: [UInt8]) throws {}
}

extension Service where Change == NoChange {
    /// Does nothing: the service records no changes.
    public func apply(_ change: NoChange) {}
}

/// The change of a service that keeps no journal.
public struct NoChange: WireCodable {
    /// Creates it.
    public init() {}
    /// Has no fields.
    public mutating func fields<C: FieldCoder>(_ coder: inout C) throws(WireError) {}
}

/// A service that only reads: its state is a fold over events.
///
/// A projection journals nothing. Its snapshot, the places it has read up to and what
/// ``publish(in:)`` emits are one atomic commit, taken every `snapshotInterval` events, when
/// nothing more is waiting for a moment, and before a shutdown. After a crash it goes on from the
/// last one. Its handlers call ``Turn/fold(_:)`` and must not record, emit or schedule.
public protocol Projection: Service where Change == NoChange {
    /// Emits what the projection publishes of its state, with each snapshot.
    func publish(in turn: Turn<Self>)
}

/// An event type and the code that handles it.
public struct Subscription<S: Service>: Sendable {
    typealias Immediate = @Sendable (isolated S, [UInt8], Turn<S>) throws -> Void
    typealias Suspending = @Sendable (isolated S, [UInt8], Turn<S>) async throws -> Void

    enum Handler: Sendable {
        case immediate(Immediate)
        case suspending(Suspending)
    }

    /// The CloudEvents type that it takes.
    public let type: String
    /// The topic that carries it; empty for a timer, which comes from the service's own inbox.
    public let topic: String
    let handler: Handler

    /// Handles `E` in one step, without suspending.
    public static func on<E: Event>(
        _ event: E.Type,
        _ handle: @escaping @Sendable (isolated S, E, Turn<S>) throws -> Void
    ) -> Subscription {
        Subscription(
            type: E.type,
            topic: E.topic,
            handler: .immediate { service, data, turn in
                try handle(service, try E(decoding: data), turn)
            }
        )
    }

    /// Handles `E` with a handler that may suspend, to ask an outside party before it decides.
    public static func on<E: Event>(
        _ event: E.Type,
        _ handle: @escaping @Sendable (isolated S, E, Turn<S>) async throws -> Void
    ) -> Subscription {
        Subscription(
            type: E.type,
            topic: E.topic,
            handler: .suspending { service, data, turn in
                try await handle(service, try E(decoding: data), turn)
            }
        )
    }
}
