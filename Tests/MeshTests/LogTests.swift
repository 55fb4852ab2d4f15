import Mesh
import SimulatedWorld
import Testing

/// The physical log over a disk that can be harmed.
@Suite struct `The log` {
    private static let file = Log.file(at: 0)

    private func open(
        _ disk: MemoryDisk,
        segmentBytes: Int = 1 << 20
    ) throws(LogError) -> (
        Log, [LogRecord]
    ) {
        var visitor = PlacesVisitor()
        let log = try Log(disk: disk, segmentBytesMax: segmentBytes, recoveringInto: &visitor)
        var follower = LogFollower()
        var records: [LogRecord] = []
        while true {
            let next = try follower.next(from: disk)
            if next.isEmpty { break }
            records += next
        }
        #expect(visitor.places.count == records.count)
        return (log, records)
    }

    @discardableResult
    private func append(_ log: Log, _ number: Int) -> UInt64 {
        log.append { writer, _ in
            writer.record(.published, at: Instant(nanoseconds: Int64(number)))
            writer.text("publisher-\(number)")
            writer.varint(UInt64(number))
            writer.varint(0)
        }
    }

    private func filled(_ count: Int) throws -> MemoryDisk {
        let disk = MemoryDisk()
        let (log, _) = try self.open(disk)
        for number in 0..<count {
            self.append(log, number)
            try log.commit()
        }
        return disk
    }

    @Test func `a tail torn at any byte is cut, and no committed record is`() throws {
        let whole = try self.filled(5)
        let size = whole.size(of: Self.file)
        let bytes = try whole.read(Self.file, at: 0, count: size)
        let (_, records) = try self.open(whole)
        for cut in 0...size {
            let disk = MemoryDisk()
            try disk.append(Array(bytes[..<cut]), to: Self.file)
            let (log, kept) = try self.open(disk)
            let complete = records.filter { $0.position < UInt64(cut) }
            #expect(kept.count == complete.count || kept.count == complete.count - 1)
            #expect(kept == Array(records.prefix(kept.count)))
            // What is appended after the cut is read back.
            self.append(log, 99)
            try log.commit()
            let (_, more) = try self.open(disk)
            #expect(more.count == kept.count + 1)
        }
    }

    @Test func `a flipped byte in a committed record is named, never cut off`() throws {
        let size = try self.filled(5).size(of: Self.file)
        let (_, records) = try self.open(try self.filled(5))
        let last = Int(try #require(records.last).position)
        for offset in 16..<last {
            let disk = try self.filled(5)
            disk.flip(Self.file, at: offset)
            let error = #expect(throws: LogError.self) { try self.open(disk) }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains(Self.file) == true)
            #expect(disk.size(of: Self.file) == size, "byte \(offset): something was cut off")
        }
    }

    @Test func `a log goes on over segments, and a missing segment is named`() throws {
        let disk = MemoryDisk()
        do {
            let (log, _) = try self.open(disk, segmentBytes: 200)
            for number in 0..<50 {
                self.append(log, number)
                try log.commit()
            }
        }
        #expect(disk.list().count > 5)
        let (_, records) = try self.open(disk, segmentBytes: 200)
        #expect(records.count == 50)
        disk.remove(disk.list()[2])
        let error = #expect(throws: LogError.self) { try self.open(disk, segmentBytes: 200) }
        #expect(error?.message.contains("a segment is missing") == true)
    }

    /// A log that was cut at the front so often that its last segment overwrites an older one.
    private func recycled(_ count: Int, on disk: MemoryDisk) throws -> Log {
        let (log, _) = try self.open(disk, segmentBytes: 2000)
        log.checkpoint = { [1, 2, 3] }
        for number in 0..<count {
            self.append(log, number)
            try log.commit()
            _ = try log.removeSegments { _ in true }
        }
        return log
    }

    /// Opens a log that was cut at the front; returns where its records are.
    private func reopen(_ disk: MemoryDisk) throws -> (Log, [UInt64]) {
        var visitor = PlacesVisitor()
        let log = try Log(disk: disk, segmentBytesMax: 2000, recoveringInto: &visitor)
        log.checkpoint = { [1, 2, 3] }
        return (log, visitor.places)
    }

    @Test func `a segment that overwrites an older one loses nothing to a power cut`() throws {
        var random = SeededRandom(seed: 5)
        for count in stride(from: 200, to: 400, by: 3) {
            let disk = MemoryDisk()
            let log = try self.recycled(count, on: disk)
            let end = log.end
            for number in 0..<3 { self.append(log, count + number) }
            // What is on its way when the power fails may arrive in part.
            disk.failNext(.sync(DiskError(.syncFailed, "no power")))
            #expect(throws: LogError.self) { try log.commit() }
            disk.losePower(using: &random)
            let (again, _) = try self.reopen(disk)
            #expect(again.end >= end, "after \(count) records")
            #expect(again.end <= log.end)
            self.append(again, 99)
            try again.commit()
            disk.losePower(using: &random)
            #expect(try self.reopen(disk).0.end == again.end)
        }
    }

    @Test func `a flipped byte in a segment that overwrites an older one is named`() throws {
        let whole = MemoryDisk()
        _ = try self.recycled(300, on: whole)
        let file = try #require(whole.list().last { Log.position(of: $0) != nil })
        let base = try #require(Log.position(of: file))
        whole.reopen()
        let (_, places) = try self.reopen(whole)
        let last = Int(try #require(places.last) - base)
        #expect(places.count > 5)
        var random = SeededRandom(seed: 9)
        for offset in stride(from: RecordFormat.segmentHeaderBytes, to: last, by: 7) {
            let disk = MemoryDisk()
            _ = try self.recycled(300, on: disk)
            disk.losePower(using: &random)
            disk.flip(file, at: offset)
            let error = #expect(throws: LogError.self, "byte \(offset)") {
                try self.reopen(disk)
            }
            #expect(error?.code == .corrupt)
        }
    }

    @Test func `a follower waits where a file becomes shorter while it is read`() throws {
        let disk = try self.filled(3)
        var follower = LogFollower()
        #expect(try follower.next(from: ShrinkingDisk(disk)).count == 3)
        #expect(try follower.next(from: ShrinkingDisk(disk)).isEmpty)
        let (log, _) = try self.open(disk)
        self.append(log, 3)
        try log.commit()
        #expect(try follower.next(from: ShrinkingDisk(disk)).count == 1)
    }

    @Test func `files that were segments do not become more`() throws {
        let disk = MemoryDisk()
        let log = try self.recycled(300, on: disk)
        #expect(disk.list().count <= 4, "\(disk.list())")
        #expect(disk.list().contains(Log.spareFile))
        #expect(log.start > 4000)
    }

    @Test func `what a failed write staged is not counted on`() throws {
        let disk = try self.filled(3)
        let (log, _) = try self.open(disk)
        self.append(log, 3)
        disk.failNext(.append(DiskError(.full, "log: no space is left")))
        let error = #expect(throws: LogError.self) { try log.commit() }
        #expect(error?.code == .full)
        let (_, records) = try self.open(disk)
        #expect(records.count == 3)
    }

    @Test func `a record with a change beyond every journal is an error`() {
        var writer = WireWriter()
        writer.u8(RecordFormat.Kind.turn.rawValue)
        writer.i64(0)
        // Service, partition, epoch, sequence, acknowledgements, events, first change, changes.
        for number: UInt64 in [0, 0, 1, 1, 0, 0, .max, 2] { writer.varint(number) }
        for _ in 1...2 { writer.counted([1]) }
        for _ in 1...3 { writer.u8(0) }
        #expect(throws: WireError.self) {
            try writer.bytes.withUnsafeBytes { try LogRecord(decoding: $0, at: 16) }
        }
    }

    @Test func `another layout is told from the one that the log was written with`() throws {
        let stage = try HubStage()
        var layout = HubStage.layout
        layout.topics.append(.init(name: "more", partitions: 1))
        let error = #expect(throws: LogError.self) {
            try Hub(
                configuration: .init(layout: layout, tokens: [:], uid: 0),
                disk: stage.disk,
                now: stage.now
            )
        }
        #expect(error?.code == .otherLayout)
        #expect(error?.message.contains("new run folder") == true)
    }

    @Test func `a reader far behind finds every byte, also across what is read ahead`() throws {
        let (log, _) = try self.open(MemoryDisk(), segmentBytes: 3 << 20)
        var places: [(position: UInt64, bytes: [UInt8])] = []
        for number in 0..<60 {
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
            log.append { writer, body in
                let start = writer.bytes.count
                writer.record(.published, at: .zero)
                places.append((body + UInt64(writer.bytes.count - start), bytes))
                writer.bytes += bytes
            }
            try log.commit()
        }
        for round in 0..<2 {
            for (number, place) in places.enumerated() {
                let found = try log.withBytes(
                    at: place.position,
                    count: place.bytes.count,
                    readingAhead: true
                ) { Array($0) }
                #expect(found == place.bytes, "event \(number), round \(round)")
            }
        }
    }

    @Test func `segments grow with the state at their start, so that it is never most of them`()
        throws
    {
        let disk = MemoryDisk()
        let (log, _) = try self.open(disk, segmentBytes: 10_000)
        var stateBytes = 20_000
        log.checkpoint = { [UInt8](repeating: 7, count: stateBytes) }
        for number in 0..<20_000 {
            self.append(log, number)
            try log.commit()
        }
        let bytes = Int(log.end)
        // The last of them has what it is for still before it.
        let states = (log.segmentCount - 2) * stateBytes
        #expect(log.segmentCount > 3)
        #expect(states * 4 <= bytes, "\(states) of \(bytes) bytes are checkpoints")
        stateBytes = 0
        let before = log.segmentCount
        for number in 0..<20_000 {
            self.append(log, number)
            try log.commit()
        }
        #expect(log.segmentCount > 2 * before, "segments are as small again as they should be")
    }
}

/// A disk on which a file is longer when its size is asked for than when it is read.
private final class ShrinkingDisk: Disk {
    private let disk: MemoryDisk
    private var hasShrunk = false

    init(_ disk: MemoryDisk) { self.disk = disk }

    func list() -> [String] { self.disk.list() }

    func size(of file: String) -> Int {
        defer { self.hasShrunk = true }
        return self.disk.size(of: file) + (self.hasShrunk ? 0 : 40)
    }

    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        try self.disk.read(file, at: offset, count: count)
    }

    func append(_ bytes: [UInt8], to file: String) {}
    func sync(_ file: String) {}
    func truncate(_ file: String, to size: Int) {}
    func remove(_ file: String) {}
}

/// Notes where records are.
private struct PlacesVisitor: PlaceVisitor {
    var places: [UInt64] = []
    mutating func record(at position: UInt64) { self.places.append(position) }
    mutating func recorded(at time: Instant) {}
    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {}
}
