import Mesh
import SimulatedWorld
import Testing

/// A hub on a disk that others fill.
@Suite struct `While the disk is full the hub` {
    private let memory = MemoryDisk()
    private let disk: LimitedDisk
    private let stage: HubStage
    private let shoppers: StageShoppers
    private let worker: StageWorker

    init() throws {
        self.disk = try LimitedDisk(self.memory, capacity: 16 << 20)
        var layout = HubStage.layout
        layout.limits.attemptsMax = 1
        self.stage = try HubStage(layout: layout, disk: self.memory, seenThrough: self.disk)
        self.worker = StageWorker(self.stage, instance: "worker-1")
        self.shoppers = StageShoppers(self.stage)
        try self.worker.exchange()
        try self.shoppers.exchange()
    }

    /// Fills the disk, and lets the log use its reserve until it asks for more.
    private func fill() throws {
        self.disk.fill()
        var number: UInt64 = 1_000_000
        while self.shoppers.refusals.isEmpty {
            number += 1
            let filling = event("filling", number, data: [UInt8](repeating: 7, count: 50_000))
            _ = self.shoppers.client.publish(filling, to: "orders")
            try self.shoppers.exchange()
        }
    }

    private func makeRoom() throws {
        self.disk.othersTake = 0
        try self.stage.passes(.milliseconds(250))
    }

    /// Commits everything that arrives, until nothing more does; returns the events' numbers.
    @discardableResult
    private func work(_ worker: StageWorker, change: [UInt8] = [1]) throws -> [UInt64] {
        var numbers: [UInt64] = []
        while true {
            try worker.exchange()
            let items = worker.takeDeliveries()
            guard !items.isEmpty else { return numbers }
            for item in items {
                numbers.append(item.delivery.event.id.low)
                worker.commit(item, change: change)
            }
        }
    }

    @Test func `refuses events, says why, and takes them again by itself`() throws {
        try self.fill()
        let refusal = try #require(self.shoppers.refusals.first)
        #expect(refusal.code == .full)
        #expect(refusal.message.contains("the disk of the run folder is full"))
        let accepted = self.shoppers.acceptedUpTo
        self.shoppers.publish("a", 1)
        try self.shoppers.exchange()
        #expect(self.shoppers.acceptedUpTo == accepted)
        #expect(self.shoppers.client.unconfirmedCount == 0)

        try self.makeRoom()
        self.shoppers.publish("a", 2)
        try self.shoppers.exchange()
        #expect(self.shoppers.acceptedUpTo > accepted)
        let numbers = try self.work(self.worker)
        #expect(numbers.contains(2) && !numbers.contains(1))
    }

    @Test func `goes on to deliver and to commit what it has taken`() throws {
        for number in 1...50 { self.shoppers.publish("subject-\(number)", UInt64(number)) }
        try self.shoppers.exchange()
        try self.fill()
        let numbers = try self.work(self.worker).filter { $0 <= 50 }
        #expect(numbers.sorted() == Array(1...50))
        #expect(self.worker.committed.count >= 50)
    }

    @Test func `holds back what its reserve cannot hold, in order, until there is room`() throws {
        for number in 1...40 { self.shoppers.publish("subject-\(number % 4)", UInt64(number)) }
        try self.shoppers.exchange()
        try self.fill()
        // Turns far larger than the reserve: 40 × 100 KB.
        let big = [UInt8](repeating: 9, count: 100_000)
        let before = try self.work(self.worker, change: big)
        #expect(before.count { $0 <= 40 } > self.worker.committed.count)
        #expect(self.worker.refusal == nil && self.worker.forgotten.isEmpty)

        try self.makeRoom()
        let after = try self.work(self.worker, change: big)
        #expect((before + after).filter { $0 <= 40 }.sorted() == Array(1...40))
        #expect(self.worker.committed.count == (before + after).count)
        #expect(self.worker.forgotten.isEmpty)
    }

    @Test func `lets timers and dead letters wait until there is room for them`() throws {
        self.shoppers.publish("a", 1)
        self.shoppers.publish("b", 2)
        try self.shoppers.exchange()
        try self.worker.exchange()
        let items = self.worker.takeDeliveries()
        let first = try #require(items.first { $0.delivery.event.id.low == 1 })
        let second = try #require(items.first { $0.delivery.event.id.low == 2 })
        let timer = TimerRequest(
            name: "late",
            due: self.stage.now + .seconds(10),
            event: event("a", 5, source: "worker")
        )
        let decision = TurnDecision()
        decision.set(timer)
        _ = self.worker.client.decided(
            first.partition,
            epoch: first.epoch,
            first.delivery,
            decision
        )
        self.worker.note(
            self.worker.client.finished(first.partition, epoch: first.epoch, first.delivery)
        )
        try self.worker.exchange()
        try self.fill()
        // Turns that leave too little for anything else to begin, and need not wait themselves.
        try self.work(self.worker, change: [UInt8](repeating: 9, count: 60_000))
        self.worker.fail(second, "cannot be parsed")
        try self.worker.exchange()
        try self.stage.passes(.seconds(11))
        #expect(try self.work(self.worker).isEmpty)
        let admin = StageAdmin(self.stage)
        #expect(try admin.ask(["do": "dead-letters"])["deadLetters"]?.array?.isEmpty == true)

        try self.makeRoom()
        // A timer may have looked just before the room was found.
        try self.stage.passes(.milliseconds(250))
        #expect(try self.work(self.worker).contains(5))
        #expect(try admin.ask(["do": "dead-letters"])["deadLetters"]?.array?.count == 1)
    }

    @Test func `can be killed, and has its reserve again`() throws {
        for number in 1...20 { self.shoppers.publish("subject-\(number)", UInt64(number)) }
        try self.shoppers.exchange()
        try self.fill()
        try self.stage.restart()
        let worker = StageWorker(self.stage, instance: "worker-1")
        let numbers = try self.work(worker).filter { $0 <= 20 }
        #expect(numbers.sorted() == Array(1...20))
        #expect(worker.committed.count >= 20)
        let shoppers = StageShoppers(self.stage)
        shoppers.client = self.shoppers.client
        shoppers.client.disconnected()
        shoppers.client.connected()
        shoppers.publish("late", 21)
        try shoppers.exchange()
        #expect(shoppers.refusals.map(\.code) == [.full])
        try self.makeRoom()
        shoppers.publish("late", 22)
        try shoppers.exchange()
        #expect(try self.work(worker).filter { $0 <= 22 } == [22])
    }

    @Test func `does not open where not even the reserve is there, and opens later`() throws {
        let memory = MemoryDisk()
        let disk = try LimitedDisk(memory, capacity: 30_000)
        let error = #expect(throws: LogError.self) {
            try HubStage(disk: memory, seenThrough: disk)
        }
        #expect(error?.code == .full)
        disk.capacity = 1 << 23
        _ = try HubStage(disk: memory, seenThrough: disk)
    }

    @Test func `tells admins once that it is full and once that it has room`() throws {
        let admin = StageAdmin(self.stage)
        #expect(try admin.takeNotices() == ["disk-has-room"])
        try self.fill()
        for _ in 1...10 { try self.stage.passes(.milliseconds(250)) }
        #expect(try admin.takeNotices() == ["disk-full"])
        #expect(try admin.ask(["do": "status"])["isFull"] == true)
        let late = StageAdmin(self.stage)
        #expect(try late.takeNotices() == ["disk-full"])
        let redrive = try admin.ask(["do": "redrive"])
        #expect(redrive["error"]?.string?.contains("until there is room") == true)
        try self.makeRoom()
        #expect(try admin.takeNotices() == ["disk-has-room"])
        #expect(try admin.ask(["do": "status"])["isFull"] == false)
        // Nothing is polled while there is room.
        #expect(self.stage.hub.nextDeadline == nil)
    }

    @Test func `an event that was refused is not stored when it comes again`() throws {
        try self.fill()
        self.shoppers.publish("refused", 1)
        let frames = self.shoppers.client.takeOutput()
        self.stage.send(frames, on: self.shoppers.id)
        try self.makeRoom()
        // The refusal is on its way when the same event comes once more.
        self.stage.send(frames, on: self.shoppers.id)
        try self.shoppers.exchange()
        #expect(self.shoppers.refusals.last?.code == .full)
        #expect(self.shoppers.client.unconfirmedCount == 0)
        self.shoppers.publish("kept", 2)
        try self.shoppers.exchange()
        let worker = StageWorker(self.stage, instance: "worker-1")
        #expect(try self.work(worker).filter { $0 < 3 } == [2])
    }

    @Test func `an event whose refusal was lost with the connection is tried once more`() throws {
        try self.fill()
        self.shoppers.publish("lost", 1)
        self.stage.send(self.shoppers.client.takeOutput(), on: self.shoppers.id)
        try self.makeRoom()
        self.shoppers.publish("kept", 2)
        self.stage.send(self.shoppers.client.takeOutput(), on: self.shoppers.id)
        // The hub dies before any answer was read. It stored nothing behind a refusal unheard.
        try self.stage.flush()
        try self.stage.restart()
        let again = StageShoppers(self.stage)
        again.client = self.shoppers.client
        again.client.disconnected()
        again.client.connected()
        try again.exchange()
        #expect(again.refusals.isEmpty)
        #expect(again.acceptedUpTo > self.shoppers.acceptedUpTo)
        #expect(again.client.unconfirmedCount == 0)
        let worker = StageWorker(self.stage, instance: "worker-1")
        #expect(try self.work(worker).filter { $0 < 3 }.sorted() == [1, 2])
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `loses and doubles nothing, however it fills, empties and dies`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var worker = self.worker
        var shoppers = self.shoppers
        var handled: [UInt64] = []
        var number: UInt64 = 0
        for _ in 1...120 {
            switch random.below(10) {
            case 0: self.disk.fill()
            case 1: self.disk.othersTake = 0
            case 2:
                self.disk.othersTake = 0
                self.disk.othersTake = max(0, self.disk.free - random.below(3 << 20))
            case 3 where random.below(4) == 0:
                // Others may have taken what the kill gave back: then it waits for room.
                do { try self.stage.restart() } catch {
                    self.disk.othersTake = 0
                    try self.stage.restart()
                }
                worker = StageWorker(self.stage, instance: "worker-1")
                let client = shoppers.client
                shoppers = StageShoppers(self.stage)
                shoppers.client = client
                shoppers.client.disconnected()
                shoppers.client.connected()
            default: break
            }
            for _ in 0..<random.below(12) {
                number += 1
                let data = [UInt8](repeating: 3, count: random.below(60_000))
                let order = event("subject-\(random.below(5))", number, data: data)
                _ = shoppers.client.publish(order, to: "orders")
            }
            try shoppers.exchange()
            try worker.exchange()
            for item in worker.takeDeliveries() {
                worker.commit(item, change: [UInt8](repeating: 1, count: random.below(20_000)))
                handled.append(item.delivery.event.id.low)
            }
            try worker.exchange()
            try self.stage.passes(.milliseconds(100))
        }
        self.disk.capacity = 1 << 30
        self.disk.othersTake = 0
        try self.stage.passes(.milliseconds(250))
        try shoppers.exchange()
        handled += try self.work(worker)
        #expect(shoppers.client.unconfirmedCount == 0)

        let records = try self.records()
        var stored: [UInt64] = []
        var acknowledged = 0
        for record in records {
            switch record.body {
            case .published(_, _, let events): stored += events.map(\.event.id.low)
            case .turn(let turn): acknowledged += turn.acknowledged.count
            default: break
            }
        }
        #expect(Set(stored).count == stored.count, "an event was stored twice")
        #expect(acknowledged == stored.count)
        #expect(Set(handled) == Set(stored))
    }

    private func records() throws -> [LogRecord] {
        var follower = LogFollower()
        var records: [LogRecord] = []
        while true {
            let next = try follower.next(from: self.memory)
            if next.isEmpty { return records }
            records += next
        }
    }
}
