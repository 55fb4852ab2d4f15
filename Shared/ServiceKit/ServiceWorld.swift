import Mesh

/// What a world gives to a running instance of a service: the ground under ``ServiceRuntime``.
///
/// The real world and the simulated one each have one; the runtime above is the same. All calls
/// into and out of the runtime are made on the world's executor.
package protocol ServiceWorld: AnyObject, Sendable {
    /// Where everything runs.
    var executor: UnownedSerialExecutor { get }
    /// The same executor, for the parts of a handler that belong to no actor.
    var taskExecutor: any TaskExecutor { get }
    /// The planted bugs of the run.
    var flaws: Flaws { get }
    /// A snapshot is taken after at most this many commits, whatever the service says.
    var snapshotIntervalMax: Int { get }
    /// Returns the world's time.
    func now() -> Instant
    /// Returns 64 random bits.
    func random() -> UInt64
    /// Sends frames to the hub.
    func send(_ frames: consuming [UInt8])
    /// Calls `action` once `duration` has passed.
    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void)
    /// Waits for `duration`.
    func sleep(for duration: Duration) async throws
    /// Writes a line to the instance's log; a world that keeps none never makes it.
    func log(_ level: LogLevel, _ message: @autoclosure () -> String)
    /// Asks an outside party.
    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8]
    /// The hub refused the instance for good; it should end with this reason.
    func shutOut(_ reason: String)
}

extension ServiceWorld {
    package var snapshotIntervalMax: Int { .max }
}

/// The host of one partition: the world, and where in it the partition is.
final class PartitionHost: Host {
    private let world: any ServiceWorld
    let executor: UnownedSerialExecutor
    let service: String
    let partition: Int
    let partitions: Int
    let settings: JSONValue
    private let policy: CallPolicy

    init(
        world: any ServiceWorld,
        policy: CallPolicy,
        service: String,
        partition: Int,
        partitions: Int,
        settings: JSONValue
    ) {
        self.world = world
        self.policy = policy
        self.executor = world.executor
        self.service = service
        self.partition = partition
        self.partitions = partitions
        self.settings = settings
    }

    var flaws: Flaws { self.world.flaws }
    func now() -> Instant { self.world.now() }
    func random() -> UInt64 { self.world.random() }

    func log(_ level: LogLevel, _ message: String) {
        self.world.log(level, "[\(self.partition)] \(message)")
    }

    func sleep(for duration: Duration) async throws {
        try await self.world.sleep(for: duration)
    }

    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8] {
        try await self.world.call(party, request, timeout: timeout)
    }

    var callTimeout: Duration { self.policy.timeout }

    func mayCall(_ party: String, attempt: Int) -> Bool {
        self.policy.allows(party, attempt: attempt, now: self.world.now())
    }
}
