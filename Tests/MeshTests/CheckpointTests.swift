import Mesh
import SimulatedWorld
import Testing

/// A hub that begins at its last checkpoint knows all that one knows which reads the whole log.
@Suite struct `A hub that recovers from a checkpoint` {
    @Test func `goes on exactly where it was, reading little of a long log`() throws {
        let stage = try HubStage(segmentBytesMax: 4000)
        let shoppers = StageShoppers(stage)
        let worker = StageWorker(stage, instance: "worker-1")
        try worker.exchange()
        var handled: [UInt64] = []
        var random = SeededRandom(seed: 11)
        for number in 1...400 {
            shoppers.publish("order-\(number % 13)", UInt64(number))
            try shoppers.exchange()
            try worker.exchange()
            var items = worker.takeDeliveries()
            while let item = items.popLast() {
                // Some stay open, so that acknowledgements leave gaps.
                if random.chance(1, in: 40) { continue }
                handled.append(item.delivery.event.id.low)
                worker.commit(
                    item,
                    change: [UInt8(truncatingIfNeeded: number)],
                    emit: event("r-\(number % 7)", UInt64(number), source: "worker")
                )
            }
            try worker.exchange()
        }
        #expect(stage.disk.list().count > 10)
        try stage.restart()
        let recovered = stage.hub.recoveredRecordCount
        #expect(recovered < 100, "\(recovered) records were read")

        let again = StageShoppers(stage)
        again.client = shoppers.client
        again.client.disconnected()
        again.client.connected()
        try again.exchange()
        let heir = StageWorker(stage, instance: "worker-1")
        try heir.exchange()
        let changes = heir.changes.values.reduce(0) { $0 + $1.count }
        #expect(changes == handled.count)
        while true {
            let items = heir.takeDeliveries()
            if items.isEmpty { break }
            for item in items {
                handled.append(item.delivery.event.id.low)
                heir.commit(item)
            }
            try heir.exchange()
        }
        #expect(handled.sorted() == Array(1...400))
        let reader = StageWorker(stage, service: "reader", instance: "reader-1")
        var read = 0
        while true {
            try reader.exchange()
            let items = reader.takeDeliveries()
            if items.isEmpty { break }
            read += items.count
            for item in items { reader.commit(item) }
        }
        #expect(read == changes)
    }
}
