import Mesh
import SimulatedWorld
import Testing

/// Old segments go when the topology says so, and never what somebody still needs.
@Suite struct `Retention` {
    private func stage(_ retention: MeshLayout.Retention?) throws -> HubStage {
        var layout = HubStage.layout
        layout.retention = retention
        return try HubStage(layout: layout, segmentBytesMax: 3000)
    }

    /// Publishes and handles orders; each emits one result.
    private func work(
        _ stage: HubStage,
        _ shoppers: StageShoppers,
        _ worker: StageWorker,
        _ numbers: ClosedRange<Int>
    ) throws {
        for number in numbers {
            shoppers.publish("order-\(number % 13)", UInt64(number))
            try shoppers.exchange()
            try worker.exchange()
            for item in worker.takeDeliveries() {
                let decision = TurnDecision()
                let result = event("r-\(number % 7)", UInt64(number), source: "worker")
                decision.emit(result.encoded(), to: 1)
                _ = worker.client.decided(
                    item.partition,
                    epoch: item.epoch,
                    item.delivery,
                    decision
                )
                let (partition, epoch) = (item.partition, item.epoch)
                worker.note(worker.client.finished(partition, epoch: epoch, item.delivery))
            }
            try worker.exchange()
        }
    }

    private func drain(_ reader: StageWorker) throws -> Int {
        var count = 0
        while true {
            try reader.exchange()
            let items = reader.takeDeliveries()
            if items.isEmpty { return count }
            count += items.count
            for item in items { reader.commit(item, change: []) }
        }
    }

    @Test func `by size keeps the log small, but everything that a service has not read`() throws {
        let stage = try self.stage(.init(bytes: 20_000))
        let shoppers = StageShoppers(stage)
        let worker = StageWorker(stage, instance: "worker-1")
        try worker.exchange()
        try self.work(stage, shoppers, worker, 1...300)
        let before = stage.disk.list().count
        #expect(before > 12, "the reader has not read anything, so nothing may go")

        let reader = StageWorker(stage, service: "reader", instance: "reader-1")
        #expect(try self.drain(reader) == 300)
        try self.work(stage, shoppers, worker, 301...400)
        #expect(try self.drain(reader) == 100)
        try self.work(stage, shoppers, worker, 401...420)
        #expect(try self.drain(reader) == 20)
        #expect(stage.disk.list().count < before)

        // What is left is a whole log for a hub that starts on it.
        try stage.restart()
        let again = StageShoppers(stage)
        again.client = shoppers.client
        again.client.disconnected()
        again.client.connected()
        let heir = StageWorker(stage, instance: "worker-1")
        try heir.exchange()
        try self.work(stage, again, heir, 421...440)
        let second = StageWorker(stage, service: "reader", instance: "reader-1")
        #expect(try self.drain(second) == 20)
    }

    @Test func `of all events of a quiet partition leaves it fit for new ones`() throws {
        let stage = try self.stage(.init(bytes: 10_000))
        let shoppers = StageShoppers(stage)
        let admin = StageAdmin(stage)
        var worker = StageWorker(stage, instance: "worker-1")
        try worker.exchange()
        let subjects = (0..<2).map { partition in
            (0..<99).map { "order-\($0)" }
                .first { StableHash.of($0) % 2 == UInt64(partition) } ?? ""
        }
        var number: UInt64 = 0
        let publish = { (partition: Int) in
            number += 1
            shoppers.publish(subjects[partition], number)
            try shoppers.exchange()
        }
        for _ in 1...10 { try publish(0) }
        #expect(try self.acknowledge(worker) == 10)
        for _ in 1...300 {
            try publish(1)
            _ = try self.acknowledge(worker)
        }
        let begin = Log.position(of: stage.disk.list()[0]) ?? 0
        #expect(begin > 0)

        // An event that waits while further segments begin.
        stage.hub.disconnected(worker.id, now: stage.now)
        try publish(0)
        for _ in 1...100 { try publish(1) }
        worker = StageWorker(stage, instance: "worker-1")
        #expect(try self.acknowledge(worker) == 101)

        // What is gone cannot be read again, and asking for it does no harm.
        let answer = try admin.ask(["do": "rewind", "service": "worker", "toTime": 0])
        #expect((answer["events"]?.int ?? 0) > 0, "\(answer.text)")
        try stage.restart()
    }

    @Test func `does not remove what a service reads that falls behind again and again`() throws {
        let stage = try self.stage(.init(bytes: 50_000))
        let shoppers = StageShoppers(stage)
        let worker = StageWorker(stage, instance: "worker-1")
        try worker.exchange()
        for round in 1...3 {
            // More than the hub remembers the places of: the worker's share is read from the log.
            for number in 1...6000 {
                shoppers.publish("order-\(number % 13)", UInt64(round * 6000 + number))
            }
            try shoppers.exchange()
            #expect(try self.acknowledge(worker) == 6000)
            for number in 1...200 { shoppers.publish("order-\(number % 13)", UInt64(number)) }
            try shoppers.exchange()
            #expect(try self.acknowledge(worker) == 200)
        }
        #expect(Log.position(of: stage.disk.list()[0]) ?? 0 > 50_000)
    }

    /// Handles all that there is, without a change: nothing is in the journal that has to stay.
    private func acknowledge(_ worker: StageWorker) throws -> Int {
        var count = 0
        while true {
            try worker.exchange()
            let items = worker.takeDeliveries()
            if items.isEmpty { return count }
            count += items.count
            for (partition, epoch, delivery) in items {
                _ = worker.client.decided(partition, epoch: epoch, delivery, .init())
                worker.note(worker.client.finished(partition, epoch: epoch, delivery))
            }
        }
    }

    @Test func `by age removes only what is old`() throws {
        let stage = try self.stage(.init(age: .seconds(60)))
        let shoppers = StageShoppers(stage)
        let worker = StageWorker(stage, instance: "worker-1")
        let reader = StageWorker(stage, service: "reader", instance: "reader-1")
        try worker.exchange()
        try self.work(stage, shoppers, worker, 1...200)
        _ = try self.drain(reader)
        let count = stage.disk.list().count
        try stage.passes(.seconds(61))
        try self.work(stage, shoppers, worker, 201...250)
        _ = try self.drain(reader)
        try self.work(stage, shoppers, worker, 251...290)
        #expect(Log.position(of: stage.disk.list()[0]) ?? 0 > 0)
        #expect(stage.disk.list().count < count)
    }

    @Test func `that the topology does not ask for removes nothing`() throws {
        let stage = try self.stage(nil)
        let shoppers = StageShoppers(stage)
        let worker = StageWorker(stage, instance: "worker-1")
        let reader = StageWorker(stage, service: "reader", instance: "reader-1")
        try worker.exchange()
        try self.work(stage, shoppers, worker, 1...200)
        _ = try self.drain(reader)
        try self.work(stage, shoppers, worker, 201...220)
        #expect(Log.position(of: stage.disk.list()[0]) == 0)
    }

    @Test func `a log whose beginning was taken away without a checkpoint is not trusted`() throws {
        let stage = try self.stage(nil)
        let shoppers = StageShoppers(stage)
        for number in 1...200 { shoppers.publish("a", UInt64(number)) }
        try shoppers.exchange()
        let files = stage.disk.list()
        let header = try stage.disk.read(files[1], at: 0, count: 16)
        let bare = MemoryDisk()
        try bare.append(header, to: files[1])
        let error = #expect(throws: LogError.self) {
            try HubStage(disk: bare, segmentBytesMax: 4000)
        }
        #expect(error?.message.contains("is missing") == true)
    }
}
