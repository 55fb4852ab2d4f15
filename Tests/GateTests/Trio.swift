import Mesh
import MeshSocket
import ServiceKit
import TestSupport
import Testing

/// What each part of the mesh cost.
struct TrioCosts {
    var publisher = Cost()
    var hub = Cost()
    var service = Cost()
}

/// A publisher, a hub on a real disk and a service, joined without sockets, so that what each of
/// them costs can be told apart.
final class Trio<S: Service> {
    /// How many events are published at once.
    static var eventCount: Int { 200 }

    private let hub: Hub
    private let folder: TemporaryFolder
    private let shoppers = ConnectionID(1)
    private let worker = ConnectionID(2)
    private let now = Instant(nanoseconds: 1_000_000_000)
    private let world: TrioWorld
    private let service: ServiceRuntime<S>
    private var publisher = PublisherClient(
        hello: Hello(role: .publisher, name: "shoppers", instance: "shoppers", token: "secret")
    )
    private var fromPublisher: [UInt8] = []
    private var toPublisher: [UInt8] = []
    private var toService: [UInt8] = []
    private var costs = TrioCosts()
    private var deliveredBytes = 0

    /// Joins the three by a topic that is synced as `sync` says; `arm` arms faults in the hub.
    init(sync: MeshLayout.SyncPolicy = .always, arm: (Hub) -> Void = { _ in }) throws {
        self.folder = try TemporaryFolder()
        self.hub = try Hub(
            configuration: .init(
                layout: Self.layout(sync),
                tokens: ["shoppers/shoppers": "secret", "worker/worker-1": "secret"],
                uid: 7
            ),
            disk: FolderDisk(folder: self.folder.path),
            now: self.now
        )
        arm(self.hub)
        self.world = try TrioWorld(now: self.now)
        self.service = ServiceRuntime(world: self.world, instance: "worker-1", token: "secret")
        for id in [self.shoppers, self.worker] {
            self.hub.connected(id, peer: .init(pid: 99, uid: 7, gid: 7), now: self.now)
        }
        self.publisher.connected()
        self.service.connected()
        try self.settle()
    }

    private static func layout(_ sync: MeshLayout.SyncPolicy) -> MeshLayout {
        MeshLayout(
            topics: [
                .init(name: Placed.topic, partitions: 1, sync: sync),
                .init(name: Handled.topic, partitions: 1),
            ],
            services: [
                .init(
                    name: S.name,
                    consumes: [Placed.topic],
                    emits: [Handled.topic],
                    partitions: 1
                )
            ],
            publishers: [.init(name: "shoppers", emits: [Placed.topic])],
            links: [.init(from: "shoppers", to: S.name)]
        )
    }

    /// Publishes events with these data at once, lets the service handle them, and returns what
    /// that costs once it was done a few times.
    func steadyCosts(data: [UInt8]) throws -> TrioCosts {
        var rounds: [TrioCosts] = []
        for round in 1...8 {
            let events = self.events(data, round: round)
            self.costs = TrioCosts()
            self.costs.publisher.count {
                for event in events { self.publisher.publish(event, to: Placed.topic) }
            }
            try self.settle()
            rounds.append(self.costs)
        }
        #expect(self.publisher.unconfirmedCount == 0)
        #expect(self.deliveredBytes > rounds.count * Self.eventCount * data.count)
        rounds.removeFirst(3)
        return TrioCosts(
            publisher: .median(of: rounds.map(\.publisher)),
            hub: .median(of: rounds.map(\.hub)),
            service: .median(of: rounds.map(\.service))
        )
    }

    private func events(_ data: [UInt8], round: Int) -> [EventEnvelope] {
        (1...Self.eventCount).map { number in
            let event = Placed(order: "order-\(number)", data: data)
            let id = EventID(high: UInt64(round), low: UInt64(number))
            return EventEnvelope(
                id: id,
                source: "shoppers",
                type: Placed.type,
                subject: event.subject,
                time: self.now,
                trace: TraceContext(startedBy: id),
                causation: .none,
                correlation: event.subject,
                data: event.encoded()
            )
        }
    }

    /// Carries what they say to each other until they have nothing more to say.
    private func settle() throws {
        var isQuiet = false
        while !isQuiet {
            self.costs.publisher.count {
                self.publisher.sendOutput { frames in
                    Cost.uncounted { self.fromPublisher += frames }
                }
            }
            isQuiet = self.fromPublisher.isEmpty && self.world.sent.isEmpty
            try self.costs.hub.count { try self.hubTurn() }
            isQuiet = isQuiet && self.toPublisher.isEmpty && self.toService.isEmpty
            self.fromPublisher.removeAll(keepingCapacity: true)
            self.world.sent.removeAll(keepingCapacity: true)
            try self.costs.publisher.count {
                try Self.eachFrame(of: self.toPublisher) { _ = try self.publisher.received($0) }
            }
            try self.costs.service.count {
                try Self.eachFrame(of: self.toService) { try self.service.received($0) }
            }
            self.deliveredBytes += self.toService.count
            self.toPublisher.removeAll(keepingCapacity: true)
            self.toService.removeAll(keepingCapacity: true)
        }
    }

    private func hubTurn() throws {
        try Self.eachFrame(of: self.fromPublisher) {
            self.hub.received(self.shoppers, frame: $0, now: self.now)
        }
        try Self.eachFrame(of: self.world.sent) {
            self.hub.received(self.worker, frame: $0, now: self.now)
        }
        try self.hub.flush(now: self.now)
        self.hub.sendOutput { id, frames in
            Cost.uncounted {
                if id == self.worker {
                    self.toService += frames
                } else {
                    self.toPublisher += frames
                }
                frames.removeAll(keepingCapacity: true)
            }
        }
    }

    private static func eachFrame(
        of frames: [UInt8],
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try frames.withUnsafeBytes { raw in
            var offset = 0
            while offset < raw.count {
                let length = Int(raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                let frame = raw[offset + 4..<offset + 4 + length]
                offset += 4 + length
                try body(UnsafeRawBufferPointer(rebasing: frame))
            }
        }
    }
}

/// A world that keeps what its service sends; nothing ever comes due in it.
private final class TrioWorld: ServiceWorld, @unchecked Sendable {
    /// The loop of the test's thread, which never runs: nothing here suspends.
    private let loop: EventLoop
    private let time: Instant
    var sent: [UInt8] = []

    init(now: Instant) throws {
        self.loop = try EventLoop()
        self.time = now
    }

    var executor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }
    var taskExecutor: any TaskExecutor { self.loop }
    var flaws: Flaws { Flaws() }
    func now() -> Instant { self.time }
    func random() -> UInt64 { 4 }
    func send(_ frames: consuming [UInt8]) {
        let frames = frames
        Cost.uncounted { self.sent += frames }
    }
    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void) {}
    func sleep(for duration: Duration) async throws {}
    func log(_ level: LogLevel, _ message: @autoclosure () -> String) {}
    func call(_ party: String, _ request: [UInt8], timeout: Duration) async throws -> [UInt8] {
        throw OutsideError(.unreachable, "nobody is there")
    }
    func shutOut(_ reason: String) { Issue.record("the hub refuses the service: \(reason)") }
}
