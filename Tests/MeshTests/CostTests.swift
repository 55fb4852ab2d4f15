import Mesh
import SimulatedWorld
import Testing

/// What events cost, counted instead of timed: so that speed cannot rot unseen.
@Suite("The cost of events") struct CostTests {
    private static let count = 100

    /// Two topics, of which the second is never synced; a service reads each.
    private static let layout = MeshLayout(
        topics: [
            .init(name: "orders", partitions: 1),
            .init(name: "results", partitions: 1, sync: .never),
        ],
        services: [
            .init(name: "worker", consumes: ["orders"], emits: [], partitions: 1),
            .init(name: "reader", consumes: ["results"], emits: [], partitions: 1),
        ],
        publishers: [.init(name: "shoppers", emits: ["orders", "results"])],
        links: [.init(from: "shoppers", to: "worker"), .init(from: "shoppers", to: "reader")]
    )

    private let disk: CountingDisk
    private let stage: HubStage
    private let shoppers: StageShoppers

    init() throws {
        let memory = MemoryDisk()
        self.disk = CountingDisk(memory)
        self.stage = try HubStage(layout: Self.layout, disk: memory, seenThrough: self.disk)
        self.shoppers = StageShoppers(self.stage)
        try self.shoppers.exchange()
    }

    private static func frames(_ bytes: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            frames.append(Array(bytes[offset + 4..<offset + 4 + length]))
            offset += 4 + length
        }
        return frames
    }

    private func records() throws -> [LogRecord] {
        var follower = LogFollower()
        var records: [LogRecord] = []
        while true {
            let more = try follower.next(from: self.disk)
            if more.isEmpty { return records }
            records += more
        }
    }

    /// The numbers of the events that were published, as the log has them.
    private func stored() throws -> [UInt64] {
        try self.records().flatMap { record -> [UInt64] in
            guard case .published(_, _, let events) = record.body else { return [] }
            return events.map(\.event.id.low)
        }
    }

    @Test func `what is published at once is one frame, one record, one write, one sync`() throws {
        for number in 1...Self.count { self.shoppers.publish("a", UInt64(number)) }
        let output = self.shoppers.client.takeOutput()
        let (appends, syncs) = (self.disk.appends, self.disk.syncs)
        let records = try self.records().count
        #expect(Self.frames(output).count == 1)
        let envelopes = (1...Self.count).reduce(0) { $0 + event("a", UInt64($1)).encoded().count }
        #expect(output.count <= envelopes + 5 * Self.count + 16)

        self.stage.send(output, on: self.shoppers.id)
        try self.stage.flush()
        #expect(self.disk.appends == appends + 1)
        #expect(self.disk.syncs == syncs + 1)
        #expect(self.stage.take(self.shoppers.id).count == 1)
        let new = try self.records().dropFirst(records)
        #expect(new.count == 1)
        guard case .published(_, let sequence, let events) = try #require(new.first).body else {
            Issue.record("it is no record of what was published")
            return
        }
        #expect(sequence == UInt64(Self.count))
        #expect(events.map(\.event.id.low) == (1...UInt64(Self.count)).map { $0 })
    }

    @Test func `what is delivered at once is one frame, and so is what is done with it`() throws {
        let worker = StageWorker(self.stage, instance: "worker-1")
        try worker.exchange()
        for number in 1...Self.count { self.shoppers.publish("s\(number)", UInt64(number)) }
        self.stage.send(self.shoppers.client.takeOutput(), on: self.shoppers.id)
        try self.stage.flush()
        let frames = self.stage.take(worker.id)
        #expect(frames.count == 1)
        let envelopes = (1...Self.count).reduce(0) {
            $0 + event("s\($1)", UInt64($1)).encoded().count
        }
        #expect(frames[0].count <= envelopes + 2 * Self.count + 32)

        for frame in frames {
            worker.note(
                try frame.withUnsafeBytes { raw in
                    try Result { () throws(WireError) in try worker.client.received(raw) }.get()
                }
            )
        }
        for item in worker.takeDeliveries() {
            _ = worker.client.folded(item.partition, epoch: item.epoch, item.delivery)
        }
        _ = worker.client.snapshotTaken(0, TurnDecision())
        let output = worker.client.takeOutput()
        let commits = Self.frames(output).filter { $0[0] == Frame.ToHub.commit.rawValue }
        #expect(commits.count == 1)
        #expect(try #require(commits.first).count < 32)

        let (appends, syncs) = (self.disk.appends, self.disk.syncs)
        self.stage.send(output, on: worker.id)
        try self.stage.flush()
        #expect(self.disk.appends == appends + 1)
        #expect(self.disk.syncs == syncs + 1)
        guard case .turn(let turn) = try #require(try self.records().last).body else {
            Issue.record("it is no record of a turn")
            return
        }
        #expect(turn.acknowledged.map(\.offset) == (0..<UInt64(Self.count)).map { $0 })
    }

    @Test func `an event that was refused stands alone, and those around it are stored`() throws {
        for number in 1...5 as ClosedRange<UInt64> {
            self.shoppers.publish("a", number, source: number == 3 ? "somebody" : "shoppers")
        }
        try self.shoppers.exchange()
        #expect(self.shoppers.acceptedUpTo == 5)
        #expect(self.shoppers.refusals.map(\.code) == [.notAllowed])
        #expect(self.shoppers.client.unconfirmedCount == 0)
        #expect(try self.stored() == [1, 2, 4, 5])

        // The publisher asks again, also after a crash: nothing is stored twice.
        try self.stage.restart()
        let again = StageShoppers(self.stage)
        for number in 1...6 as ClosedRange<UInt64> { again.publish("a", number) }
        try again.exchange()
        #expect(again.acceptedUpTo == 6)
        #expect(try self.stored() == [1, 2, 4, 5, 6])
    }

    @Test func `a volatile event costs the disk nothing, and is gone with the hub`() throws {
        let reader = StageWorker(self.stage, service: "reader", instance: "reader-1")
        try reader.exchange()
        let appends = self.disk.appends
        for number in 1...Self.count { self.publishVolatile(UInt64(number)) }
        try self.shoppers.exchange()
        try reader.exchange()
        let numbers = reader.deliveries.map(\.delivery.event.id.low)
        #expect(numbers == (1...UInt64(Self.count)).map { $0 })
        for item in reader.takeDeliveries() {
            let decision = TurnDecision()
            _ = reader.client.decided(item.partition, epoch: item.epoch, item.delivery, decision)
            _ = reader.client.finished(item.partition, epoch: item.epoch, item.delivery)
        }
        try reader.exchange()
        #expect(reader.committed.count == Self.count)
        #expect(self.disk.appends == appends)

        self.publishVolatile(101)
        try self.shoppers.exchange()
        try self.stage.restart()
        let next = StageWorker(self.stage, service: "reader", instance: "reader-1")
        try next.exchange()
        let shoppers = StageShoppers(self.stage)
        try shoppers.exchange()
        shoppers.client.publish(event("a", 102), to: "results")
        try shoppers.exchange()
        try next.exchange()
        #expect(next.deliveries.map(\.delivery.event.id.low) == [102])
    }

    @Test func `who is too far behind misses the oldest volatile events, and no others`() throws {
        let data = [UInt8](repeating: 1, count: 900_000)
        for number in 1...12 as ClosedRange<UInt64> {
            self.shoppers.client.publish(event("a", number, data: data), to: "results")
            try self.shoppers.exchange()
        }
        let reader = StageWorker(self.stage, service: "reader", instance: "reader-1")
        try reader.exchange()
        var numbers: [UInt64] = []
        while true {
            let items = reader.takeDeliveries()
            if items.isEmpty { break }
            for item in items {
                numbers.append(item.delivery.event.id.low)
                reader.commit(item)
            }
            try reader.exchange()
        }
        let first = try #require(numbers.first)
        #expect(first > 1)
        #expect(first < 12)
        #expect(numbers == (first...12).map { $0 })
    }

    private func publishVolatile(_ number: UInt64) {
        #expect(self.shoppers.client.publish(event("s\(number)", number), to: "results") == 0)
    }
}

/// Counts what a disk is asked to do.
final class CountingDisk: Disk {
    private let disk: MemoryDisk
    private(set) var appends = 0
    private(set) var syncs = 0

    init(_ disk: MemoryDisk) { self.disk = disk }

    func list() throws(DiskError) -> [String] { self.disk.list() }
    func size(of file: String) throws(DiskError) -> Int { self.disk.size(of: file) }

    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        try self.disk.read(file, at: offset, count: count)
    }

    func append(_ bytes: [UInt8], to file: String) throws(DiskError) {
        self.appends += 1
        try self.disk.append(bytes, to: file)
    }

    func sync(_ file: String) throws(DiskError) {
        self.syncs += 1
        try self.disk.sync(file)
    }

    func truncate(_ file: String, to size: Int) throws(DiskError) {
        self.disk.truncate(file, to: size)
    }

    func remove(_ file: String) throws(DiskError) { self.disk.remove(file) }
}
