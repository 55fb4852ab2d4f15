import Mesh
import SimulatedWorld

/// A hub on a disk in memory, and clients that talk to it without sockets: every call is seen.
final class HubStage {
    let layout: MeshLayout
    let disk: MemoryDisk
    var hub: Hub
    var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var closed: Set<ConnectionID> = []
    private(set) var audit: [JSONValue] = []
    private var inboxes: [ConnectionID: [[UInt8]]] = [:]
    private var lastConnection = 0

    static let layout = MeshLayout(
        topics: [
            .init(name: "orders", partitions: 2), .init(name: "results", partitions: 2),
            .init(name: "telemetry", partitions: 1, sync: .never),
        ],
        services: [
            .init(
                name: "worker",
                consumes: ["orders"],
                emits: ["results", "telemetry"],
                partitions: 2
            ),
            .init(name: "reader", consumes: ["results"], emits: [], partitions: 2),
        ],
        publishers: [.init(name: "shoppers", emits: ["orders"])],
        links: [.init(from: "shoppers", to: "worker"), .init(from: "worker", to: "reader")]
    )

    private let segmentBytesMax: Int
    /// What the hub writes to: the disk in memory, or one that wraps it.
    private let view: any Disk

    init(
        layout: MeshLayout = HubStage.layout,
        disk: MemoryDisk = MemoryDisk(),
        seenThrough view: (any Disk)? = nil,
        segmentBytesMax: Int = 1 << 20
    ) throws {
        self.layout = layout
        self.disk = disk
        self.view = view ?? disk
        self.segmentBytesMax = segmentBytesMax
        self.hub = try Self.open(layout, self.view, self.now, segmentBytesMax)
    }

    private static func open(
        _ layout: MeshLayout,
        _ disk: any Disk,
        _ now: Instant,
        _ segmentBytesMax: Int
    ) throws -> Hub {
        let names = [
            "shoppers/shoppers", "worker/worker-1", "worker/worker-2", "reader/reader-1",
            "squall/squall",
        ]
        let tokens = Dictionary(uniqueKeysWithValues: names.map { ($0, "secret") })
        return try Hub(
            configuration: .init(
                layout: layout,
                tokens: tokens,
                uid: 7,
                segmentBytesMax: segmentBytesMax
            ),
            disk: disk,
            now: now
        )
    }

    /// Kills the hub and opens a new one on what the disk has kept.
    func restart(losingPower: Bool = true) throws {
        var random = SeededRandom(seed: 1)
        if losingPower { self.disk.losePower(using: &random) } else { self.disk.reopen() }
        self.inboxes = [:]
        self.hub = try Self.open(self.layout, self.view, self.now, self.segmentBytesMax)
    }

    func connect(uid: UInt32 = 7) -> ConnectionID {
        self.lastConnection += 1
        let id = ConnectionID(self.lastConnection)
        self.hub.connected(id, peer: .init(pid: 99, uid: uid, gid: uid), now: self.now)
        return id
    }

    /// Sends bytes that hold whole frames.
    func send(_ frames: [UInt8], on id: ConnectionID) {
        frames.withUnsafeBytes { raw in
            var offset = 0
            while offset + 4 <= raw.count {
                let length = Int(raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                let range = (offset + 4)..<(offset + 4 + length)
                self.hub.received(
                    id,
                    frame: UnsafeRawBufferPointer(rebasing: raw[range]),
                    now: self.now
                )
                offset = range.upperBound
            }
        }
    }

    /// Sends a frame of this body.
    func send(body: [UInt8], on id: ConnectionID) {
        body.withUnsafeBytes { self.hub.received(id, frame: $0, now: self.now) }
    }

    /// Lets the hub commit and collects what it sends.
    func flush() throws {
        self.hub.timePassed(now: self.now)
        try self.hub.flush(now: self.now)
        for id in self.hub.takeDirtyConnections() {
            let bytes = self.hub.takeOutput(of: id)
            var offset = 0
            while offset + 4 <= bytes.count {
                let length = bytes[offset..<(offset + 4)].reversed().reduce(0) {
                    $0 << 8 | Int($1)
                }
                self.inboxes[id, default: []].append(
                    Array(bytes[(offset + 4)..<(offset + 4 + length)])
                )
                offset += 4 + length
            }
        }
        for id in self.hub.takeClosing() {
            self.closed.insert(id)
            self.hub.disconnected(id, now: self.now)
        }
        self.audit += self.hub.takeAudit()
    }

    /// Returns the frames that the hub has sent to a connection, and forgets them.
    func take(_ id: ConnectionID) -> [[UInt8]] {
        self.inboxes.removeValue(forKey: id) ?? []
    }

    func passes(_ time: Duration) throws {
        self.now = self.now + time
        try self.flush()
    }
}

/// A service's client on a stage, which only does what a test tells it to.
final class StageWorker {
    let stage: HubStage
    private(set) var id: ConnectionID
    var client: ServiceClient
    private(set) var deliveries: [(partition: Int, epoch: UInt64, delivery: Delivery)] = []
    private(set) var changes: [Int: [[UInt8]]] = [:]
    private(set) var snapshots: [Int: [UInt8]] = [:]
    private(set) var forgotten: [String] = []
    private(set) var refusal: Refusal?
    private(set) var committed: [UInt64] = []

    init(
        _ stage: HubStage,
        service: String = "worker",
        instance: String,
        token: String = "secret",
        isProjection: Bool = false
    ) {
        self.stage = stage
        self.id = stage.connect()
        let topic = service == "worker" ? "orders" : "results"
        self.client = ServiceClient(
            hello: Hello(
                role: .service,
                name: service,
                instance: instance,
                token: token,
                consumes: [topic],
                isProjection: isProjection
            )
        )
        self.client.connected()
    }

    /// Exchanges frames with the hub until neither has anything to say.
    func exchange() throws {
        while true {
            let output = self.client.takeOutput()
            if !output.isEmpty { self.stage.send(output, on: self.id) }
            try self.stage.flush()
            let frames = self.stage.take(self.id)
            if output.isEmpty, frames.isEmpty { return }
            for frame in frames { try self.receive(frame) }
        }
    }

    private func receive(_ frame: [UInt8]) throws {
        var frame = frame
        let actions = try frame.withUnsafeMutableBytes { raw in
            // Nothing that the client handed out may look into the frame from now on.
            defer { raw.initializeMemory(as: UInt8.self, repeating: 0xFF) }
            return try Result { () throws(WireError) in
                try self.client.received(UnsafeRawBufferPointer(raw))
            }.get()
        }
        self.note(actions)
    }

    func note(_ action: ServiceClient.Action?) {
        if let action { self.note([action]) }
    }

    func note(_ actions: [ServiceClient.Action]) {
        for action in actions {
            switch action {
            case .handle(let partition, let epoch, let delivery):
                self.deliveries.append((partition, epoch, delivery))
            case .apply(let partition, let change):
                self.changes[partition, default: []].append(change)
            case .restore(let partition, let snapshot):
                self.changes[partition] = []
                self.snapshots[partition] = snapshot
            case .forget(_, let reason): self.forgotten.append(reason)
            case .refused(let refusal): self.refusal = refusal
            case .committed(_, _, let sequence): self.committed.append(sequence)
            case .welcomed, .ready, .takeSnapshot, .handicap: break
            }
        }
    }

    /// Takes the deliveries that came so far.
    func takeDeliveries() -> [(partition: Int, epoch: UInt64, delivery: Delivery)] {
        defer { self.deliveries = [] }
        return self.deliveries
    }

    /// Commits a delivery with a change and, where wanted, an event for `results`.
    func commit(
        _ item: (partition: Int, epoch: UInt64, delivery: Delivery),
        change: [UInt8] = [1],
        emit: EventEnvelope? = nil
    ) {
        let decision = TurnDecision()
        decision.record(change)
        if let emit { decision.emit(emit.encoded(), to: 1) }
        _ = self.client.decided(item.partition, epoch: item.epoch, item.delivery, decision)
        self.note(self.client.finished(item.partition, epoch: item.epoch, item.delivery))
    }

    func fail(_ item: (partition: Int, epoch: UInt64, delivery: Delivery), _ error: String) {
        self.note(self.client.failed(item.partition, epoch: item.epoch, item.delivery, error))
    }
}

/// Publishes orders on a stage.
final class StageShoppers {
    let stage: HubStage
    let id: ConnectionID
    var client = PublisherClient(
        hello: Hello(role: .publisher, name: "shoppers", instance: "shoppers", token: "secret")
    )
    private(set) var acceptedUpTo: UInt64 = 0
    private(set) var refusals: [Refusal] = []

    init(_ stage: HubStage) {
        self.stage = stage
        self.id = stage.connect()
        self.client.connected()
    }

    func exchange() throws {
        while true {
            let output = self.client.takeOutput()
            if !output.isEmpty { self.stage.send(output, on: self.id) }
            try self.stage.flush()
            let frames = self.stage.take(self.id)
            if output.isEmpty, frames.isEmpty { return }
            for frame in frames {
                let actions = try frame.withUnsafeBytes { raw in
                    try Result { () throws(WireError) in try self.client.received(raw) }.get()
                }
                for action in actions {
                    switch action {
                    case .accepted(let sequence): self.acceptedUpTo = sequence
                    case .refused(_, let refusal), .shutOut(let refusal):
                        self.refusals.append(refusal)
                    }
                }
            }
        }
    }

    func publish(_ subject: String, _ number: UInt64, source: String = "shoppers") {
        _ = self.client.publish(event(subject, number, source: source), to: "orders")
    }
}

/// An event for tests.
func event(
    _ subject: String,
    _ number: UInt64,
    source: String = "shoppers",
    data: [UInt8] = []
) -> EventEnvelope {
    let id = EventID(high: StableHash.of(subject), low: number)
    return EventEnvelope(
        id: id,
        source: source,
        type: "orders.placed.v1",
        subject: subject,
        time: Instant(nanoseconds: Int64(number)),
        trace: TraceContext(startedBy: id),
        causation: .none,
        correlation: subject,
        data: data
    )
}
