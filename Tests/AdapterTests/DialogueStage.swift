import Events
import Mesh
import Testing

@testable import AdapterDialogue

/// A dialogue between a hub and a command that the test plays.
struct DialogueStage {
    /// What the dialogue told the hub, and the frame's body.
    struct Frame {
        var kind: UInt8
        var body: [UInt8]
    }

    var dialogue: Dialogue
    /// The lines that the command was sent.
    private(set) var lines: [JSONValue] = []
    private(set) var actions: [Dialogue.Action] = []
    private(set) var frames: [Frame] = []
    private var nextOffset: [String: UInt64] = [:]
    static let topics = ["orders.ended", "loyalty.earned", "payments.requests"]

    init(eventBytesMax: Int = 4096) {
        self.dialogue = Dialogue(
            settings: AdapterSettings(
                service: "loyalty",
                instance: "loyalty-1",
                token: "secret",
                consumes: ["orders.ended"],
                emits: [
                    .init(name: "loyalty.earned", types: ["loyalty.earned.v1"]),
                    .init(name: "payments.requests", types: ["payments.requested.v1"]),
                ],
                eventBytesMax: eventBytesMax
            )
        )
    }

    /// A dialogue whose command and hub are there, with partition 0 ready.
    static func ready(eventBytesMax: Int = 4096) throws -> DialogueStage {
        var stage = DialogueStage(eventBytesMax: eventBytesMax)
        stage.take(stage.dialogue.commandConnected())
        try stage.connectHub(epoch: 1)
        return stage
    }

    mutating func connectHub(epoch: UInt64) throws {
        self.dialogue.hubConnected()
        self.collect()
        let welcome = Welcome(
            topics: Self.topics.map { MeshLayout.Topic(name: $0, partitions: 4) },
            partitions: 4,
            settings: "{}",
            window: 16,
            publishedUpTo: 0,
            position: 0
        )
        try self.hub { welcome.encode(into: &$0) }
        try self.assign(epoch: epoch)
    }

    mutating func assign(epoch: UInt64) throws {
        try self.hub {
            $0.frame(.assign) {
                $0.varint(0)
                $0.varint(epoch)
                $0.varint(1)
                $0.varint(0)
                $0.varint(0)
                $0.u8(0)
            }
            $0.frame(.journal) {
                $0.varint(0)
                $0.varint(epoch)
                $0.u8(1)
                $0.varint(0)
                $0.varint(0)
            }
        }
    }

    mutating func deliver(_ event: EventEnvelope, at offset: UInt64, epoch: UInt64 = 1) throws {
        try self.hub {
            $0.frame(.deliver) {
                $0.varint(0)
                $0.varint(epoch)
                $0.varint(0)
                $0.varint(offset)
                $0.varint(1)
                $0.counted(event.encoded())
            }
        }
    }

    mutating func handicap(milliseconds: Int) throws {
        try self.hub { $0.frame(.handicap) { $0.varint(UInt64(milliseconds)) } }
    }

    /// The hub says something.
    mutating func hub(now: Instant = .zero, _ write: (inout WireWriter) -> Void) throws {
        var writer = WireWriter()
        write(&writer)
        for body in Self.bodies(writer.bytes) {
            var dialogue = self.dialogue
            let actions = try body.withUnsafeBytes { try dialogue.received($0, now: now) }
            self.dialogue = dialogue
            self.take(actions)
        }
    }

    /// The command says something.
    mutating func command(_ line: String) {
        self.take(self.dialogue.received(line: line, now: Instant(nanoseconds: 5)))
    }

    mutating func take(_ actions: [Dialogue.Action]) {
        self.actions += actions
        for action in actions {
            if case .send(let line) = action, let json = try? JSONValue(parsing: line) {
                self.lines.append(json)
            }
        }
        self.collect()
    }

    private mutating func collect() {
        for body in Self.bodies(self.dialogue.takeOutput()) {
            self.frames.append(Frame(kind: body.first ?? 0, body: Array(body.dropFirst())))
        }
    }

    private static func bodies(_ bytes: [UInt8]) -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            bodies.append(Array(bytes[offset + 4..<offset + 4 + length]))
            offset += 4 + length
        }
        return bodies
    }

    // MARK: What came of it

    /// What the dialogue committed, with the emitted events decoded.
    func commits() throws -> [(acknowledged: [UInt64], emitted: [(Int, EventEnvelope)])] {
        try self.frames.filter { $0.kind == Mesh.Frame.ToHub.commit.rawValue }.map { frame in
            try frame.body.withUnsafeBytes { raw in
                var reader = WireReader(raw)
                let commit = try CommitView(from: &reader)
                return (
                    commit.acknowledged.flatMap { $0.offsets },
                    try commit.emitted.map { ($0.topic, try EventEnvelope(decoding: $0.envelope)) }
                )
            }
        }
    }

    /// The errors with which the dialogue gave events back.
    func nacks() throws -> [String] {
        try self.frames.filter { $0.kind == Mesh.Frame.ToHub.nack.rawValue }.map { frame in
            try frame.body.withUnsafeBytes { raw in
                var reader = WireReader(raw)
                for _ in 0..<4 { _ = try reader.varint() }
                return try reader.text()
            }
        }
    }

    /// The complaints that the command got.
    var complaints: [String] { self.lines.compactMap { $0["error"]?.string } }

    static func confirmed(_ number: Int, subject: String? = nil) -> EventEnvelope {
        var event = OrderConfirmed()
        event.order = OrderID("order-\(number)")
        event.customer = CustomerID("customer-7")
        event.total = Money(cents: 1234)
        return EventEnvelope(
            id: EventID(high: 1, low: UInt64(number)),
            source: "orders",
            type: OrderConfirmed.type,
            subject: subject ?? event.subject,
            time: Instant(nanoseconds: 1_000_000_000),
            trace: TraceContext(traceHigh: 1, traceLow: 2, span: 3),
            causation: EventID(high: 9, low: 9),
            correlation: "order-\(number)",
            data: event.encoded()
        )
    }
}
