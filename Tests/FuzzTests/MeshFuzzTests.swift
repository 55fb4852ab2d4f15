import Mesh
import SimulatedWorld
import Testing

@Suite struct `Damaged bytes` {
    @Test func `in frames to the hub end a connection at the most`() throws {
        var hub = try FuzzedHub()
        var steps = 0
        var closed = 0
        try Fuzzer("hub").run { random in
            // One input is one damaged frame, wherever in its life the hub then is.
            while try hub.step(&random) == 0 {}
            steps += 1
            guard steps % 250 == 0 else { return }
            #expect(try hub.stillServes())
            closed += hub.closed
            hub = try FuzzedHub()
        }
        #expect(closed > 0)
    }

    @Test func `in frames from the hub are an error at the most`() throws {
        let frames = Self.framesFromHub()
        let hello = Hello(role: .service, name: "worker", instance: "worker-1", token: "secret")
        var refused = 0
        Fuzzer("clients").run { random in
            var service = ServiceClient(hello: hello)
            service.connected()
            var publisher = PublisherClient(hello: hello)
            publisher.connected()
            var admin = AdminClient(hello: hello)
            admin.connected()
            let damaged = random.below(frames.count)
            for (index, frame) in frames.enumerated() {
                let bytes = index == damaged ? random.input(from: frames) : frame
                bytes.withUnsafeBytes { raw in
                    do { _ = try service.received(raw) } catch { refused += 1 }
                    if index == damaged {
                        _ = try? publisher.received(raw)
                        _ = try? admin.received(raw)
                    }
                }
            }
        }
        #expect(refused > 0)
    }

    private static func framesFromHub() -> [[UInt8]] {
        var writer = WireWriter()
        Welcome(
            topics: FuzzedHub.layout.topics,
            partitions: 2,
            settings: "{}",
            window: 16,
            publishedUpTo: 3,
            position: 99
        ).encode(into: &writer)
        writer.frame(.assign) {
            for number: UInt64 in [0, 1, 1, 0, 0] { $0.varint(number) }
            $0.u8(1)
            $0.counted([1, 2])
        }
        writer.frame(.journal) {
            for number: UInt64 in [0, 1] { $0.varint(number) }
            $0.u8(1)
            for number: UInt64 in [0, 1] { $0.varint(number) }
            $0.counted([3])
        }
        for offset: UInt64 in 0..<3 {
            writer.frame(.deliver) {
                for number: UInt64 in [0, 1, 0, offset, 1] { $0.varint(number) }
                $0.counted(FuzzedHub.event(offset).encoded())
            }
        }
        writer.frame(.settled) { for number: UInt64 in [0, 1, 0, 1] { $0.varint(number) } }
        writer.frame(.committed) { for number: UInt64 in [0, 1, 1] { $0.varint(number) } }
        writer.frame(.handicap) { $0.varint(5) }
        writer.frame(.drain) { _ in }
        writer.frame(.published) { $0.varint(3) }
        writer.frame(.durable) { $0.varint(3) }
        writer.frame(.answer) {
            $0.varint(1)
            $0.text("{\"ok\": true}")
        }
        writer.frame(.notice) { $0.text("{\"notice\": \"ready\"}") }
        writer.frame(.revoke) { for number: UInt64 in [0, 1] { $0.varint(number) } }
        return FuzzedHub.bodies(writer.bytes)
    }

    @Test func `in a log are named or cut off`() throws {
        let (name, bytes) = try Self.log()
        var refused = 0
        var read = 0
        try Fuzzer("log").run { random in
            let disk = MemoryDisk()
            try disk.append(random.input(from: [bytes]), to: name)
            var counter = RecordCounter()
            do throws(LogError) {
                _ = try Log(disk: disk, recoveringInto: &counter)
                var follower = LogFollower()
                while true {
                    let records = try follower.next(from: disk)
                    if records.isEmpty { break }
                    read += records.count
                }
            } catch {
                refused += 1
                #expect(error.message.contains(".log"))
            }
        }
        #expect(refused > 0)
        #expect(read > 0)
    }

    @Test func `behind a right checksum are an error at the most`() throws {
        let (_, bytes) = try Self.log()
        var records: [[UInt8]] = []
        var offset = RecordFormat.segmentHeaderBytes
        while offset + RecordFormat.headerBytes < bytes.count {
            let count = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            let body = offset + RecordFormat.headerBytes
            records.append(Array(bytes[body..<body + count]))
            offset = body + count
        }
        var refused = 0
        Fuzzer("records").run { random in
            random.input(from: records).withUnsafeBytes { raw in
                do { _ = try LogRecord(decoding: raw, at: 16) } catch { refused += 1 }
                _ = try? EventEnvelope(decoding: raw)
            }
        }
        #expect(refused > 0)
    }

    /// The only segment of a hub's log with every kind of record that a short life leaves.
    private static func log() throws -> (name: String, bytes: [UInt8]) {
        var hub = try FuzzedHub()
        var random = SeededRandom(seed: 5)
        for _ in 0..<12 { _ = try hub.step(&random, damaging: false) }
        let name = Log.file(at: 0)
        let size = hub.disk.size(of: name)
        return (name, try hub.disk.read(name, at: 0, count: size))
    }
}

/// Counts the records of a log.
private struct RecordCounter: PlaceVisitor {
    var count = 0

    mutating func record(at position: UInt64) { self.count += 1 }
    mutating func recorded(at time: Instant) {}
    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {}
}
