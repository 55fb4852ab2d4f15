import AdapterDialogue
import Events
import Foundation
import Mesh
import OutsideParties
import ServiceKit
import SimulatedWorld
import Testing
import TopologyFile

@Suite struct `Damaged texts and requests` {
    private static let documents: [[UInt8]] = [
        "{\"a\": [1, -2.5e3, true, null, \"x\\u00e9\\ud83d\\ude00\\n\"], \"b\": {\"c\": {}}}",
        "// a comment\n{a: 'x', /* more */ b: [0x1F, +1, .5, 1., Infinity,], 'c\\\n d': null,}",
        "[[[[[[[[1]]]]]]]]", "\"text\"", "-9223372036854775808", "{}",
    ].map { Array($0.utf8) }

    @Test func `are no JSON, or are what is written again`() throws {
        var parsed = 0
        Fuzzer("json").run { random in
            let bytes = random.input(from: Self.documents)
            if let value = try? JSONValue(parsingUTF8: bytes) {
                parsed += 1
                #expect((try? JSONValue(parsing: value.text)) == value)
                #expect((try? JSONValue(parsing: value.prettyText)) == value)
            }
            do throws(JSONError) {
                _ = try JSONParser.parse(utf8: bytes, dialect: .json5)
            } catch {
                #expect(error.line >= 1 && error.column >= 1 && !error.message.isEmpty)
            }
        }
        #expect(parsed > 0)
    }

    @Test func `are a topology, or have problems with places`() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let small = Array(
            """
            {name: "hello", services: {greeter: {command: ["./g"], consumes: ["visits"],
            emits: ["greetings"], instances: 2, restart: {policy: "never", backoffMin: "1s"}}},
            topics: {visits: {partitions: 4, retention: {age: "1d"}}, greetings:
            {recordOnly: true}}, links: [{from: "visitors", to: "greeter", faults:
            [{kind: "delay", by: "5ms", chance: "5%"}]}], outside: {visitors: {kind: "shoppers",
            emits: ["visits"]}}, load: {rate: 5, spike: {times: 3, at: "1s", lasts: "2s"}},
            limits: {window: 9, eventBytesMax: "1MiB"}, shutdown: {killAfter: "2s"}}
            """.utf8
        )
        let shop = try Array(Data(contentsOf: URL(filePath: "\(root)/Topology/shop.json")))
        // The shop's file is long: it takes its turn, and the small one most of them.
        let corpora = Array(repeating: [small], count: 15) + [[small, shop]]
        var wrong = 0
        Fuzzer("topology").run { random in
            let corpus = corpora[random.below(corpora.count)]
            let bytes = random.input(from: corpus, bytesMax: 1 << 16)
            do throws(TopologyError) {
                let topology = try Topology.parse(utf8: bytes, file: "t.json")
                // What is written of it is the same topology.
                let again = try Topology.parse(topology.normalized().text, file: "n.json")
                #expect(again.normalized() == topology.normalized())
                _ = topology.layout.fingerprint
            } catch {
                wrong += 1
                #expect(!error.problems.isEmpty)
                #expect(error.problems.allSatisfy { $0.line >= 1 && !$0.message.isEmpty })
            }
        }
        #expect(wrong > 0)
    }

    @Test func `of a command get one complaint each, and lose no event`() throws {
        var command = try FuzzedCommand()
        var inputs = 0
        try Fuzzer("adapter").run { random in
            try command.say(&random)
            inputs += 1
            if inputs % 500 == 0 { command = try FuzzedCommand() }
        }
    }

    @Test func `to an outside party are answered or end the call`() throws {
        let requests: [[UInt8]] = [
            OutsideFrame.request(
                id: 1,
                body: BankRequest(kind: .charge, key: "k", amount: Money(cents: 5)).encoded()
            ),
            OutsideFrame.request(id: 2, body: BankRequest(kind: .refund, key: "k").encoded()),
            OutsideFrame.request(id: 3, body: BankRequest(kind: .status, key: "q").encoded()),
            OutsideFrame(kind: .adminRequest, id: 4, body: Array("{\"do\": \"status\"}".utf8))
                .framed,
            OutsideFrame(
                kind: .adminRequest,
                id: 5,
                body: Array("{\"do\": \"fault\", \"kind\": \"slow\", \"by\": \"5ms\"}".utf8)
            ).framed,
            OutsideFrame(kind: .adminRequest, id: 6, body: Array("{\"do\": \"heal\"}".utf8)).framed,
        ].map { Array($0.dropFirst(4)) }
        var desk = try PartyDesk(machine: BankMachine(declines: .zero), disk: MemoryDisk())
        var answered = 0
        var inputs: Int64 = 0
        try Fuzzer("outside").run { random in
            inputs += 1
            let now = Instant(nanoseconds: inputs * 1_000_000)
            let bytes = random.input(from: requests)
            var outputs = bytes.withUnsafeBytes { desk.received($0, from: 1, now: now) }
            outputs += try desk.flush(now: now)
            outputs += desk.timePassed(now: now)
            answered += outputs.count
            if inputs % 1000 == 0 {
                desk = try PartyDesk(machine: BankMachine(declines: .zero), disk: MemoryDisk())
            }
        }
        #expect(answered > 0)
    }
}

/// A dialogue with a hub that behaves and a command that does not.
private struct FuzzedCommand {
    private var dialogue: Dialogue
    private var offset: UInt64 = 0
    private var complaints = 0

    init() throws {
        self.dialogue = Dialogue(
            settings: AdapterSettings(
                service: "loyalty",
                instance: "loyalty-1",
                token: "",
                consumes: ["orders"],
                emits: [
                    .init(name: "results", types: ["loyalty.earned.v1", "payments.requested.v1"])
                ],
                eventBytesMax: 600
            )
        )
        _ = self.dialogue.commandConnected()
        self.dialogue.hubConnected()
        var writer = WireWriter()
        Welcome(
            topics: FuzzedHub.layout.topics,
            partitions: 1,
            settings: "{}",
            window: 1000,
            publishedUpTo: 0,
            position: 0
        ).encode(into: &writer)
        writer.frame(.assign) {
            for number: UInt64 in [0, 1, 1, 0, 0] { $0.varint(number) }
            $0.u8(0)
        }
        writer.frame(.journal) {
            for number: UInt64 in [0, 1] { $0.varint(number) }
            $0.u8(1)
            for number: UInt64 in [0, 0] { $0.varint(number) }
        }
        try self.hub(writer.bytes)
    }

    private mutating func hub(_ bytes: [UInt8]) throws {
        for body in FuzzedHub.bodies(bytes) {
            _ = try body.withUnsafeBytes { try self.dialogue.received($0, now: .zero) }
        }
        _ = self.dialogue.takeOutput()
    }

    /// Hands an event over and has it answered by something like an answer.
    mutating func say(_ random: inout SeededRandom) throws {
        var event = FuzzedHub.event(self.offset)
        event.subject = "order-\(self.offset)"
        var writer = WireWriter()
        writer.frame(.deliver) {
            for number in [0, 1, 0, self.offset, 1] { $0.varint(number) }
            $0.counted(event.encoded())
        }
        self.offset += 1
        try self.hub(writer.bytes)
        let before = self.dialogue.inHandCount
        let answers = Self.answers(event.id)
        let line = String(decoding: random.input(from: answers), as: UTF8.self)
        let actions = self.dialogue.received(line: line, now: .zero)
        let complaints = actions.filter { action in
            if case .send(let line) = action { line.hasPrefix("{\"error\":") } else { false }
        }
        #expect(complaints.count <= 1)
        let output = FuzzedHub.bodies(self.dialogue.takeOutput())
        let taken = before - self.dialogue.inHandCount
        // What leaves the command's hands is committed or given back, and nothing else is.
        #expect(taken == 0 || taken == 1)
        let settled = output.filter {
            $0.first == Frame.ToHub.commit.rawValue || $0.first == Frame.ToHub.nack.rawValue
        }
        #expect(settled.count == taken)
        #expect(complaints.isEmpty ? taken == 1 : true)
        for frame in settled where frame.first == Frame.ToHub.commit.rawValue {
            try frame.withUnsafeBytes { raw in
                var reader = WireReader(raw, offset: 1)
                for emission in try CommitView(from: &reader).emitted {
                    let emitted = try EventEnvelope(decoding: emission.envelope)
                    #expect(emitted.source == "loyalty" && !emitted.subject.isEmpty)
                    #expect(emission.envelope.count <= 600)
                }
            }
        }
    }

    private static func answers(_ id: EventID) -> [[UInt8]] {
        [
            "{\"ack\": \"\(id)\"}",
            "{\"nack\": \"\(id)\", \"error\": \"not now\"}",
            """
            {"ack": "\(id)", "emit": [{"type": "loyalty.earned.v1", "subject": "c-1",
            "data": {"p": 1}}]}
            """,
            """
            {"ack":"\(id)","emit":[{"type":"payments.requested.v1",
            "data":{"order":"o-1","customer":"c","amount":5}}]}
            """,
            "{\"ack\": \"\(id)\", \"emit\": [{\"type\": \"loyalty.earned.v1\"}, {}]}",
        ].map { Array($0.utf8) }
    }
}
