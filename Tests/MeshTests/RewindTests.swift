import Mesh
import Testing

@Suite struct `A projection that is rewound` {
    /// Folds what comes, and commits a snapshot that says how much there is by now.
    private func fold(_ worker: StageWorker) throws {
        try worker.exchange()
        let items = worker.takeDeliveries()
        for item in items {
            worker.note(worker.client.folded(item.partition, epoch: item.epoch, item.delivery))
        }
        for partition in Set(items.map(\.partition)).sorted() {
            let decision = TurnDecision()
            let before = worker.snapshots[partition]?.first ?? 0
            decision.snapshot = [before + UInt8(items.count { $0.partition == partition })]
            worker.note(worker.client.snapshotTaken(partition, decision))
        }
        try worker.exchange()
    }

    @Test(arguments: [
        "connected", "not connected", "not since the hub began", "after a checkpoint",
    ])
    func `begins without its state`(_ whereabouts: String) throws {
        let stage = try HubStage(segmentBytesMax: 4000)
        let shoppers = StageShoppers(stage)
        let first = StageWorker(stage, instance: "worker-1", isProjection: true)
        try first.exchange()
        for number: UInt64 in 1...10 { shoppers.publish("order-\(number)", number) }
        try shoppers.exchange()
        try self.fold(first)
        switch whereabouts {
        case "not connected": stage.hub.disconnected(first.id, now: stage.now)
        case "not since the hub began": try stage.restart()
        case "after a checkpoint":
            // Enough for further segments, each of which begins with one.
            for number: UInt64 in 11...200 { shoppers.publish("order-\(number)", number) }
            try shoppers.exchange()
            try self.fold(first)
            try stage.restart()
            #expect(stage.hub.recoveredRecordCount < 100)
        default: break
        }
        let admin = StageAdmin(stage)
        let partial = try admin.ask(["do": "rewind", "service": "worker", "to": 3])
        #expect(partial["error"]?.string?.contains("is a projection") == true, "\(partial.text)")
        let answer = try admin.ask(["do": "rewind", "service": "worker", "to": 0])
        #expect((answer["events"]?.int ?? 0) >= 10, "\(answer.text)")

        let second = StageWorker(stage, instance: "worker-2", isProjection: true)
        if whereabouts == "connected" { stage.hub.disconnected(first.id, now: stage.now) }
        try second.exchange()
        #expect(Set(second.snapshots.keys) == [0, 1])
        #expect(second.snapshots.values.allSatisfy { $0.isEmpty })
        var count = 0
        while case let items = second.takeDeliveries(), !items.isEmpty {
            count += items.count
            for item in items {
                second.note(second.client.folded(item.partition, epoch: item.epoch, item.delivery))
            }
            try second.exchange()
        }
        #expect(count == (whereabouts == "after a checkpoint" ? 200 : 10))
    }

    @Test func `reads again also what it had counted beyond a gap`() throws {
        let stage = try HubStage()
        let shoppers = StageShoppers(stage)
        let worker = StageWorker(stage, instance: "worker-1", isProjection: true)
        try worker.exchange()
        for number: UInt64 in 1...10 { shoppers.publish("order-\(number)", number) }
        try shoppers.exchange()
        try worker.exchange()
        // The first event of each partition is still in hand when the others are counted.
        let items = worker.takeDeliveries().filter { $0.delivery.offset > 0 }
        #expect(items.count == 8)
        for item in items {
            worker.note(worker.client.folded(item.partition, epoch: item.epoch, item.delivery))
        }
        for partition in Set(items.map(\.partition)).sorted() {
            let decision = TurnDecision()
            decision.snapshot = [4]
            worker.note(worker.client.snapshotTaken(partition, decision))
        }
        try worker.exchange()
        let answer = try StageAdmin(stage).ask(["do": "rewind", "service": "worker", "to": 0])
        #expect(answer["events"] == 8, "\(answer.text)")
        try worker.exchange()
        #expect(worker.takeDeliveries().map(\.delivery.event.id.low).sorted() == Array(1...10))
    }
}
