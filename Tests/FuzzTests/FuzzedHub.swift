import Mesh
import SimulatedWorld
import Testing

/// A hub whose clients do what they should, but whose frames are damaged now and then.
struct FuzzedHub {
    let disk = MemoryDisk()
    private let hub: Hub
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var lastConnection = 0
    private var worker: ServiceClient
    private var shoppers: PublisherClient
    private var admin: AdminClient
    private var ids: [ConnectionID?] = [nil, nil, nil]
    private var published: UInt64 = 0
    private(set) var closed = 0

    static let layout = MeshLayout(
        topics: [.init(name: "orders", partitions: 2), .init(name: "results", partitions: 2)],
        services: [
            .init(name: "worker", consumes: ["orders"], emits: ["results"], partitions: 2),
            .init(name: "reader", consumes: ["results"], emits: [], partitions: 2),
        ],
        publishers: [.init(name: "shoppers", emits: ["orders"])],
        links: [.init(from: "shoppers", to: "worker"), .init(from: "worker", to: "reader")]
    )

    static let requests: [JSONValue] = [
        ["do": "status"], ["do": "heal"], ["do": "slow", "service": "worker", "milliseconds": 5],
        ["do": "cut", "from": "shoppers", "to": "worker"], ["do": "dead-letters"],
        ["do": "redrive", "service": "worker", "number": 1], ["do": "drain"],
        ["do": "rewind", "service": "worker", "topic": "orders", "offset": 0],
        ["do": "delay", "from": "shoppers", "to": "worker", "milliseconds": 1],
        ["do": "drop", "from": "shoppers", "to": "worker", "amount": 500],
        ["do": "duplicate", "from": "shoppers", "to": "worker", "amount": 500],
    ]

    init() throws {
        let names = ["shoppers/shoppers", "worker/worker-1", "squall/squall"]
        self.hub = try Hub(
            configuration: .init(
                layout: Self.layout,
                tokens: Dictionary(uniqueKeysWithValues: names.map { ($0, "secret") }),
                uid: 7,
                segmentBytesMax: 1 << 16
            ),
            disk: self.disk,
            now: self.now
        )
        self.worker = ServiceClient(
            hello: Hello(
                role: .service,
                name: "worker",
                instance: "worker-1",
                token: "secret",
                consumes: ["orders"]
            )
        )
        self.shoppers = PublisherClient(
            hello: Hello(role: .publisher, name: "shoppers", instance: "shoppers", token: "secret")
        )
        self.admin = AdminClient(
            hello: Hello(role: .admin, name: "squall", instance: "squall", token: "secret")
        )
    }

    /// Lets everybody say something; each frame is kept, damaged or lost as `random` says.
    ///
    /// - Returns: how many frames were damaged.
    mutating func step(_ random: inout SeededRandom, damaging: Bool = true) throws -> Int {
        for client in 0..<3 where self.ids[client] == nil { self.connect(client) }
        self.published += 1
        _ = self.shoppers.publish(Self.event(self.published), to: "orders")
        if random.chance(1, in: 4) {
            _ = self.admin.ask(Self.requests[random.below(Self.requests.count)])
        }
        var damaged = 0
        for (client, bytes) in [
            (0, self.worker.takeOutput()), (1, self.shoppers.takeOutput()),
            (2, self.admin.takeOutput()),
        ] {
            for var body in Self.bodies(bytes) {
                if damaging, random.chance(1, in: 3) {
                    body = random.input(from: [body])
                    damaged += 1
                }
                guard let id = self.ids[client] else { break }
                body.withUnsafeBytes { self.hub.received(id, frame: $0, now: self.now) }
            }
        }
        try self.flush()
        self.now = self.now + .milliseconds(random.below(20))
        return damaged
    }

    private mutating func connect(_ client: Int) {
        self.lastConnection += 1
        let id = ConnectionID(self.lastConnection)
        self.ids[client] = id
        self.hub.connected(id, peer: .init(pid: 99, uid: 7, gid: 7), now: self.now)
        switch client {
        case 0: self.worker.connected()
        case 1: self.shoppers.connected()
        default: self.admin.connected()
        }
    }

    private mutating func flush() throws {
        self.hub.timePassed(now: self.now)
        try self.hub.flush(now: self.now)
        for id in self.hub.takeDirtyConnections() {
            let bodies = Self.bodies(self.hub.takeOutput(of: id))
            guard let client = self.ids.firstIndex(of: id) else { continue }
            for body in bodies { try self.receive(body, client) }
        }
        for id in self.hub.takeClosing() {
            self.hub.disconnected(id, now: self.now)
            self.closed += 1
            guard let client = self.ids.firstIndex(of: id) else { continue }
            self.ids[client] = nil
            switch client {
            case 0: _ = self.worker.disconnected()
            case 1: self.shoppers.disconnected()
            default: self.admin.disconnected()
            }
        }
        _ = self.hub.takeAudit()
    }

    private mutating func receive(_ body: [UInt8], _ client: Int) throws {
        switch client {
        case 0:
            let actions = try body.withUnsafeBytes { try self.worker.received($0) }
            for action in actions {
                guard case .handle(let partition, let epoch, let delivery) = action else {
                    continue
                }
                self.handle(partition, epoch, delivery)
            }

        case 1: _ = try body.withUnsafeBytes { try self.shoppers.received($0) }
        default: _ = try body.withUnsafeBytes { try self.admin.received($0) }
        }
    }

    private mutating func handle(_ partition: Int, _ epoch: UInt64, _ delivery: Delivery) {
        if delivery.offset % 5 == 0 {
            _ = self.worker.failed(partition, epoch: epoch, delivery, "no")
            return
        }
        let decision = TurnDecision()
        decision.record([1, 2, 3])
        var event = delivery.event
        event.id = event.id.derived(by: "worker", index: 0)
        event.source = "worker"
        decision.emit(event.encoded(), to: 1)
        _ = self.worker.decided(partition, epoch: epoch, delivery, decision)
        _ = self.worker.finished(partition, epoch: epoch, delivery)
    }

    /// Whether the hub still takes events of a client that makes no mistakes.
    mutating func stillServes() throws -> Bool {
        for client in 0..<3 {
            guard let id = self.ids[client] else { continue }
            self.hub.disconnected(id, now: self.now)
            self.ids[client] = nil
        }
        _ = self.worker.disconnected()
        self.shoppers = PublisherClient(
            hello: Hello(role: .publisher, name: "shoppers", instance: "shoppers", token: "secret")
        )
        self.admin.disconnected()
        var random = SeededRandom(seed: 0)
        for _ in 0..<4 { _ = try self.step(&random, damaging: false) }
        return self.ids.allSatisfy { $0 != nil } && self.shoppers.isConnected
    }

    static func bodies(_ bytes: [UInt8]) -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            bodies.append(Array(bytes[offset + 4..<offset + 4 + length]))
            offset += 4 + length
        }
        return bodies
    }

    static func event(_ number: UInt64) -> EventEnvelope {
        let id = EventID(high: 7, low: number)
        return EventEnvelope(
            id: id,
            source: "shoppers",
            type: "orders.placed.v1",
            subject: "order-\(number % 7)",
            time: Instant(nanoseconds: Int64(number)),
            trace: TraceContext(startedBy: id),
            causation: .none,
            correlation: "order-\(number)",
            data: [1, 2, 3]
        )
    }
}
