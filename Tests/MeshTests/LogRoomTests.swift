import Mesh
import SimulatedWorld
import Testing

/// How a log deals with the space of a disk, and with one that fails.
@Suite struct `The log's room` {
    private func open(_ disk: any Disk, segmentBytes: Int = 1 << 20) throws -> Log {
        var nobody = NobodyVisitor()
        return try Log(disk: disk, segmentBytesMax: segmentBytes, recoveringInto: &nobody)
    }

    private func append(_ log: Log, bytes: Int) throws {
        log.append { writer, _ in
            writer.record(.published, at: Instant(nanoseconds: 1))
            writer.text(String(repeating: "p", count: bytes))
            writer.varint(1)
            writer.varint(0)
        }
        try log.commit()
    }

    @Test func `is kept ahead of its end, and given back at the end`() throws {
        let disk = try LimitedDisk(MemoryDisk(), capacity: 64 << 20)
        let log = try self.open(disk, segmentBytes: 100 << 20)
        for _ in 1...50 {
            try self.append(log, bytes: 100_000)
            #expect(log.room >= Log.reserveBytesLow)
            let taken = disk.capacity - disk.free
            #expect(taken <= Int(log.end) + Log.reserveBytes)
        }
        try log.giveBack()
        #expect(disk.capacity - disk.free == Int(log.end))
    }

    @Test func `is given back by each segment that is complete`() throws {
        let disk = try LimitedDisk(MemoryDisk(), capacity: 64 << 20)
        let log = try self.open(disk, segmentBytes: 200_000)
        for _ in 1...40 { try self.append(log, bytes: 50_000) }
        #expect(try disk.list().count >= 8)
        #expect(disk.capacity - disk.free <= Int(log.end) + Log.reserveBytes + 8192)
    }

    @Test func `no new segment is begun without it, and one is when it is there`() throws {
        let disk = try LimitedDisk(MemoryDisk(), capacity: 64 << 20)
        let log = try self.open(disk, segmentBytes: 200_000)
        disk.fill()
        for _ in 1...30 { try self.append(log, bytes: 50_000) }
        #expect(try disk.list().count == 1)
        #expect(log.isFull)
        #expect(log.fullBecause?.contains("Make room") == true)
        disk.othersTake = 0
        try log.makeRoom()
        #expect(!log.isFull)
        for _ in 1...40 { try self.append(log, bytes: 50_000) }
        #expect(try disk.list().count > 2)
        let again = try self.open(disk)
        #expect(again.end == log.end)
        #expect(again.recordCount == log.recordCount)
    }

    @Test func `a failed sync confirms nothing, and what is read again is what was durable`() throws
    {
        let stage = try HubStage()
        let shoppers = StageShoppers(stage)
        shoppers.publish("a", 1)
        try shoppers.exchange()
        let accepted = shoppers.acceptedUpTo
        shoppers.publish("b", 2)
        stage.send(shoppers.client.takeOutput(), on: shoppers.id)
        stage.disk.failNext(.sync(DiskError(.syncFailed, "fdatasync: it failed")))
        #expect(throws: LogError.self) { try stage.flush() }
        // The shell drops the hub with all that it had to send; so does the stage.
        #expect(stage.take(shoppers.id).isEmpty)
        #expect(shoppers.acceptedUpTo == accepted)

        try stage.restart(losingPower: true)
        let again = StageShoppers(stage)
        again.client = shoppers.client
        again.client.disconnected()
        again.client.connected()
        try again.exchange()
        #expect(again.acceptedUpTo == 2)
        let worker = StageWorker(stage, instance: "worker-1")
        try worker.exchange()
        #expect(worker.takeDeliveries().map(\.delivery.event.id.low).sorted() == [1, 2])
    }

    @Test func `a hub does not start on a byte that rotted, and says the same as a check`() throws {
        let stage = try HubStage()
        let shoppers = StageShoppers(stage)
        for number in 1...20 {
            shoppers.publish("a", UInt64(number))
            try shoppers.exchange()
        }
        let file = Log.file(at: 0)
        let size = stage.disk.size(of: file)
        let middle = size / 2
        stage.disk.flip(file, at: middle)
        let refusal = #expect(throws: LogError.self) { try stage.restart() }
        #expect(refusal?.code == .corrupt)
        #expect(stage.disk.size(of: file) == size)

        var follower = LogFollower()
        while !(try follower.next(from: stage.disk)).isEmpty {}
        let check = #expect(throws: LogError.self) { try follower.checkEnd(in: stage.disk) }
        let words = try #require(check?.message)
        #expect(words.hasPrefix("\(file) at byte "))
        #expect(refusal?.message.hasPrefix(words) == true, "\(refusal?.message ?? "")")
    }
}

@Suite struct `A disk that holds writes back` {
    @Test func `reads like the disk itself, and loses in a kill what was not synced`() throws {
        var random = SeededRandom(seed: 11)
        for _ in 1...300 {
            let plain = MemoryDisk()
            let kept = MemoryDisk()
            let holding = HoldingDisk(kept)
            var synced: [String: [UInt8]] = [:]
            for _ in 1...20 {
                let file = ["a", "b"][random.below(2)]
                switch random.below(6) {
                case 0:
                    try plain.sync(file)
                    try holding.sync(file)
                    synced[file] = try self.all(plain, file)
                case 1:
                    let size = random.below(plain.size(of: file) + 1)
                    guard plain.list().contains(file) else { continue }
                    plain.truncate(file, to: size)
                    try holding.truncate(file, to: size)
                    synced[file] = try self.all(plain, file)
                default:
                    let bytes = (0...random.below(9)).map { _ in UInt8(random.below(256)) }
                    try plain.append(bytes, to: file)
                    holding.append(bytes, to: file)
                }
                #expect(try holding.list() == plain.list())
                for name in plain.list() {
                    #expect(try holding.size(of: name) == plain.size(of: name))
                    let offset = random.below(plain.size(of: name) + 3)
                    let count = random.below(30)
                    #expect(
                        try holding.read(name, at: offset, count: count)
                            == plain.read(name, at: offset, count: count)
                    )
                }
            }
            for (file, bytes) in synced { #expect(try self.all(kept, file) == bytes) }
            try holding.writeBack()
            #expect(!holding.holdsBytes)
            for file in plain.list() { #expect(try self.all(kept, file) == self.all(plain, file)) }
        }
    }

    private func all(_ disk: MemoryDisk, _ file: String) throws -> [UInt8] {
        guard disk.list().contains(file) else { return [] }
        return try disk.read(file, at: 0, count: disk.size(of: file))
    }

    @Test func `shows a sync that is missing`() throws {
        let kept = MemoryDisk()
        let stage = try HubStage(disk: kept, seenThrough: HoldingDisk(kept))
        let shoppers = StageShoppers(stage)
        shoppers.publish("a", 1)
        try shoppers.exchange()
        #expect(shoppers.acceptedUpTo == 1)
        let healthy = try HubStage(disk: kept)
        #expect(healthy.hub.position == stage.hub.position)
    }
}

/// Is told everything and remembers nothing.
private struct NobodyVisitor: PlaceVisitor {
    mutating func record(at position: UInt64) {}
    mutating func recorded(at time: Instant) {}
    mutating func event(
        topic: Int,
        partition: Int,
        offset: UInt64,
        envelope: UnsafeRawBufferPointer,
        at: Int
    ) {}
}
