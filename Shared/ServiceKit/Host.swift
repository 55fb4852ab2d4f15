public import Mesh

/// Everything a service may know of the world outside itself.
///
/// A service takes time, randomness, waiting, logging and outside parties from its host and from
/// nothing else; that is what lets the same service run on real processes and under a seed.
public protocol Host: AnyObject, Sendable {
    /// Where the service's code runs, one step at a time.
    var executor: UnownedSerialExecutor { get }
    /// The service's name in the topology file.
    var service: String { get }
    /// Which partition of its state this actor owns, from 0.
    var partition: Int { get }
    /// How many partitions the service's state has.
    var partitions: Int { get }
    /// The service's `settings` in the topology file; an empty object where it has none.
    var settings: JSONValue { get }
    /// The bugs planted on purpose; none by default.
    var flaws: Flaws { get }
    /// Returns the host's time; never goes back.
    func now() -> Instant
    /// Returns 64 random bits from the host's source.
    func random() -> UInt64
    /// Writes a line to the service's log.
    func log(_ level: LogLevel, _ message: String)
    /// Waits for at least `duration` of the host's time.
    func sleep(for duration: Duration) async throws
    /// Sends a request to an outside party and waits for its answer.
    ///
    /// - Throws: ``OutsideError``; after `.timedOut` the party may have done what was asked.
    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8]
    /// How long a caller of an outside party waits where it does not say.
    var callTimeout: Duration { get }
    /// Returns whether a party may be asked in that attempt, and counts it: retries have a budget.
    func mayCall(_ party: String, attempt: Int) -> Bool
}

extension Host {
    /// No planted bugs.
    public var flaws: Flaws { Flaws() }
    /// Two seconds.
    public var callTimeout: Duration { .seconds(2) }
    /// No budget.
    public func mayCall(_ party: String, attempt: Int) -> Bool { true }
}

/// How much a log line matters.
public enum LogLevel: String, Sendable, CaseIterable {
    /// For following single steps.
    case debug
    /// For following what happens.
    case info
    /// Something went wrong and was dealt with.
    case warning
    /// Something went wrong that someone must look at.
    case error
}

/// Why an outside party gave no answer.
public struct OutsideError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is known about the request.
    public enum Code: String, Sendable {
        /// The party was not reached: the request certainly had no effect.
        case unreachable
        /// No answer came in time: the request may have had its effect.
        case timedOut
        /// The answer could not be read.
        case malformed
    }

    /// What is known about the request.
    public var code: Code
    /// The party, the request and the cause.
    public var message: String

    /// Creates an error about one request.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(self.code.rawValue): \(self.message)" }
}
