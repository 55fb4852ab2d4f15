import Mesh
import SimulatedWorld
import Testing

/// What the hub says to those it does not let in, and that nobody else is disturbed.
@Suite struct `The hub refuses` {
    private func stageWithWorker() throws -> (HubStage, StageWorker) {
        let stage = try HubStage()
        let worker = StageWorker(stage, instance: "worker-1")
        try worker.exchange()
        return (stage, worker)
    }

    /// The worker that was there before still gets its events.
    private func stillWorks(_ stage: HubStage, _ worker: StageWorker) throws {
        let shoppers = StageShoppers(stage)
        shoppers.publish("still-here", 77)
        try shoppers.exchange()
        try worker.exchange()
        #expect(worker.takeDeliveries().map(\.delivery.event.subject) == ["still-here"])
    }

    @Test func `a rogue process without a token, in the audit log and by name`() throws {
        let (stage, worker) = try self.stageWithWorker()
        let rogue = StageWorker(stage, instance: "worker-2", token: "guessed")
        try rogue.exchange()
        #expect(rogue.refusal?.code == .notAllowed)
        #expect(rogue.refusal?.message.contains("worker/worker-2") == true)
        #expect(rogue.refusal?.message.contains("squall up") == true)
        #expect(stage.closed == [rogue.id])
        #expect(stage.audit.first?["refused"]?.string == "notAllowed")
        #expect(stage.audit.first?["pid"]?.int == 99)
        try self.stillWorks(stage, worker)
    }

    @Test func `a service that wants to command, with its own right token`() throws {
        let (stage, worker) = try self.stageWithWorker()
        for role in [ClientRole.admin, .observer] {
            let id = stage.connect()
            var writer = WireWriter()
            Hello(role: role, name: "worker", instance: "worker-2", token: "secret")
                .encode(into: &writer)
            stage.send(writer.bytes, on: id)
            try stage.flush()
            #expect(stage.closed.contains(id))
        }
        try self.stillWorks(stage, worker)
    }

    @Test func `another user, whatever its token says`() throws {
        let (stage, worker) = try self.stageWithWorker()
        let id = stage.connect(uid: 8)
        var writer = WireWriter()
        Hello(role: .service, name: "worker", instance: "worker-2", token: "secret")
            .encode(into: &writer)
        stage.send(writer.bytes, on: id)
        try stage.flush()
        #expect(stage.closed == [id])
        try self.stillWorks(stage, worker)
    }

    @Test func `garbage, of any length and content`() throws {
        let (stage, worker) = try self.stageWithWorker()
        var random = SeededRandom(seed: 3)
        for _ in 1...2000 {
            let id = stage.connect()
            let body = (0..<random.below(60)).map { _ in UInt8(random.below(256)) }
            stage.send(body: body, on: id)
            try stage.flush()
            #expect(stage.closed.contains(id), "\(body) was taken for a hello")
        }
        try self.stillWorks(stage, worker)
    }

    @Test func `damaged frames of a client it has let in, and drops only that client`() throws {
        let (stage, worker) = try self.stageWithWorker()
        var random = SeededRandom(seed: 5)
        for round in 1...500 {
            let other = StageWorker(stage, service: "reader", instance: "reader-1")
            try other.exchange()
            let kind = UInt8(2 + round % 7)
            let body = [kind] + (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
            stage.send(body: body, on: other.id)
            try stage.flush()
        }
        try self.stillWorks(stage, worker)
    }

    @Test func `an event for a topic that the topology does not let its source emit to`() throws {
        let (stage, worker) = try self.stageWithWorker()
        let shoppers = StageShoppers(stage)
        _ = shoppers.client.publish(event("a", 1), to: "results")
        shoppers.publish("a", 2)
        try shoppers.exchange()
        #expect(shoppers.refusals.map(\.code) == [.undeclared])
        #expect(shoppers.refusals.first?.message.contains("'emits'") == true)
        #expect(shoppers.acceptedUpTo == 2)
        try worker.exchange()
        #expect(worker.takeDeliveries().map(\.delivery.event.id.low) == [2])
    }

    @Test func `numbers up to the last one there is, in any order`() throws {
        let (stage, worker) = try self.stageWithWorker()
        let shoppers = StageShoppers(stage)
        try shoppers.exchange()
        var before: UInt64 = 0
        for number in [.max, 5, 0, .max - 1, .max, 1] as [UInt64] {
            var writer = WireWriter()
            writer.u8(Frame.ToHub.publish.rawValue)
            // No topic has that number, so the hub refuses each.
            for part in [before, number, 9] { writer.varint(part) }
            writer.counted(event("a", 1).encoded())
            stage.send(body: writer.bytes, on: shoppers.id)
            before = number
        }
        try stage.flush()
        try self.stillWorks(stage, worker)
    }

    @Test func `events of one who may only command`() throws {
        let (stage, worker) = try self.stageWithWorker()
        for kind in [Frame.ToHub.publish, .volatile] {
            let admin = StageAdmin(stage)
            _ = try admin.ask(["do": "status"])
            var writer = WireWriter()
            writer.u8(kind.rawValue)
            // A gap in the numbers would else be answered with a frame for publishers.
            for number: UInt64 in [7, 8, 0] { writer.varint(number) }
            writer.counted(event("a", 1).encoded())
            stage.send(body: writer.bytes, on: admin.id)
            try stage.flush()
            #expect(stage.closed.contains(admin.id))
        }
        try self.stillWorks(stage, worker)
    }

    @Test func `an event in another's name, and one over the limit`() throws {
        var layout = HubStage.layout
        layout.limits.eventBytesMax = 500
        let stage = try HubStage(layout: layout)
        let shoppers = StageShoppers(stage)
        shoppers.publish("a", 1, source: "worker")
        _ = shoppers.client.publish(
            event("a", 2, data: [UInt8](repeating: 1, count: 600)),
            to: "orders"
        )
        try shoppers.exchange()
        #expect(shoppers.refusals.map(\.code) == [.notAllowed, .tooLarge])
        #expect(shoppers.refusals.last?.message.contains("limits.eventBytesMax") == true)
    }

    @Test func `a service whose handlers want topics that its topology entry does not list`() throws
    {
        let stage = try HubStage()
        let id = stage.connect()
        var writer = WireWriter()
        Hello(
            role: .service,
            name: "worker",
            instance: "worker-1",
            token: "secret",
            consumes: ["results"]
        ).encode(into: &writer)
        stage.send(writer.bytes, on: id)
        try stage.flush()
        #expect(stage.closed == [id])
        #expect(stage.audit.first?["message"]?.string?.contains("'consumes'") == true)
    }

    @Test func `a commit that skips one, whole, and gives the owner its state anew`() throws {
        let (stage, worker) = try self.stageWithWorker()
        let shoppers = StageShoppers(stage)
        shoppers.publish("a", 1)
        try shoppers.exchange()
        try worker.exchange()
        let item = try #require(worker.takeDeliveries().first)
        let commit = Commit(partition: item.partition, epoch: item.epoch, sequence: 2)
        let decision = TurnDecision()
        decision.record([9])
        var writer = WireWriter()
        let runs = [AcknowledgedRun(item.delivery.place)]
        commit.encode(acknowledging: runs, decision, into: &writer)
        stage.send(writer.bytes, on: worker.id)
        try worker.exchange()
        #expect(worker.forgotten.contains { $0.contains("sequenceGap") })
        let again = try #require(worker.takeDeliveries().first)
        #expect(again.epoch > item.epoch)
        #expect(again.delivery.place == item.delivery.place)
        #expect(worker.changes[item.partition] == [])
    }
}
