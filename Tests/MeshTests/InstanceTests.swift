import Mesh
import SimulatedWorld
import Testing

extension StageAdmin {
    /// The partitions that each connected instance of the first service owns.
    fileprivate func owned() throws -> [String: [Int64]] {
        let service = try self.ask(["do": "status"])["services"]?.array?.first
        var owned: [String: [Int64]] = [:]
        for instance in service?["instances"]?.array ?? [] {
            let partitions = (instance["partitions"]?.array ?? []).compactMap(\.int)
            owned[instance["instance"]?.string ?? ""] = partitions
        }
        return owned
    }

    /// Who owned nothing any more, in the order of the announcements.
    fileprivate func left() throws -> [String] {
        _ = try self.ask(["do": "status"])
        return self.notices.filter { $0["notice"]?.string == "left" }
            .compactMap { $0["instance"]?.string }
    }
}

private func layout(partitions: Int) -> MeshLayout {
    var layout = HubStage.layout
    for index in layout.topics.indices where layout.topics[index].sync == .always {
        layout.topics[index].partitions = partitions
    }
    for index in layout.services.indices { layout.services[index].partitions = partitions }
    return layout
}

@Test func `partitions are spread evenly and move no more than they must`() {
    var random = SeededRandom(seed: 11)
    for _ in 1...2000 {
        let count = 1 + random.below(12)
        let instances = (0..<(1 + random.below(6))).map { ConnectionID($0) }
        // Some owners are gone: numbers beyond those of the instances.
        let owners = (0..<count).map { _ -> ConnectionID? in
            let number = random.below(instances.count + 2)
            return number > instances.count ? nil : ConnectionID(number)
        }
        let heirs = Hub.spread(owners, over: instances)
        let shares = instances.map { instance in heirs.count { $0 == instance } }
        #expect(shares.reduce(0, +) == count)
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
        // The fewest moves: what exceeds the larger share, and what has no owner.
        let kept = zip(owners, heirs).count { $0 == $1 }
        let owned = instances.map { instance in owners.count { $0 == instance } }.sorted(by: >)
        var best = 0
        for (rank, number) in owned.enumerated() {
            let room = count / instances.count + (rank < count % instances.count ? 1 : 0)
            best += min(number, room)
        }
        #expect(kept == best, "\(owners) over \(instances.count)")
    }
    #expect(Hub.spread([ConnectionID(1), nil], over: []) == [nil, nil])
}

@Test func `who leaves finishes what it has in hand; the others get the rest in order`() throws {
    let stage = try HubStage()
    let admin = StageAdmin(stage)
    let stays = StageWorker(stage, instance: "worker-1")
    let leaves = StageWorker(stage, instance: "worker-2")
    try stays.exchange()
    try leaves.exchange()
    try stays.exchange()
    try leaves.exchange()
    #expect(try admin.owned() == ["worker-1": [0], "worker-2": [1]])

    let shoppers = StageShoppers(stage)
    for number in 1...40 { shoppers.publish("order-\(number % 10)", UInt64(number)) }
    try shoppers.exchange()
    try leaves.exchange()
    let inHand = leaves.takeDeliveries()
    #expect(!inHand.isEmpty)

    #expect(try admin.ask(["do": "leave", "instance": "worker-2"])["error"] == nil)
    try leaves.exchange()
    try stays.exchange()
    #expect(try admin.left().isEmpty, "it still has something in hand")
    #expect(try admin.owned()["worker-2"] == [1])
    for item in inHand { leaves.commit(item) }
    try leaves.exchange()
    #expect(leaves.forgotten == ["it moves to another instance"])
    #expect(leaves.takeDeliveries().isEmpty, "it was given more")
    #expect(try admin.left() == ["worker-2"])
    #expect(try admin.owned() == ["worker-1": [0, 1], "worker-2": []])

    var seen: [String: [UInt64]] = [:]
    for item in inHand { seen[item.delivery.event.subject] = [item.delivery.event.id.low] }
    while true {
        try stays.exchange()
        let items = stays.takeDeliveries()
        if items.isEmpty { break }
        for item in items {
            seen[item.delivery.event.subject, default: []].append(item.delivery.event.id.low)
            stays.commit(item)
        }
    }
    #expect(seen.values.reduce(0) { $0 + $1.count } == 40)
    for order in seen.values { #expect(order == order.sorted()) }
    #expect(stage.audit.isEmpty)
}

@Test func `instances that come in the same moment each get their share at once`() throws {
    let stage = try HubStage()
    let admin = StageAdmin(stage)
    let workers = [1, 2].map { StageWorker(stage, instance: "worker-\($0)") }
    // Both are let in before the hub flushes: the first is never told of what the second gets.
    for worker in workers { stage.send(worker.client.takeOutput(), on: worker.id) }
    for worker in workers { try worker.exchange() }
    #expect(workers.map(\.client.owned) == [[0], [1]])
    let status = try admin.ask(["do": "status"])
    #expect(status["services"]?.array?.first?["ready"]?.bool == true)
    #expect(stage.hub.nextDeadline == nil)
}

@Test func `where nobody stays, partitions wait for whoever comes`() throws {
    let stage = try HubStage()
    let admin = StageAdmin(stage)
    let old = StageWorker(stage, instance: "worker-1")
    try old.exchange()
    _ = try admin.ask(["do": "leave", "instance": "worker-1"])
    try old.exchange()
    #expect(try admin.left() == ["worker-1"])
    #expect(old.client.owned.isEmpty)
    let shoppers = StageShoppers(stage)
    shoppers.publish("a", 1)
    try shoppers.exchange()
    try old.exchange()
    #expect(old.takeDeliveries().isEmpty)

    // A new process of the same instance takes the place of the old one.
    let new = StageWorker(stage, instance: "worker-1")
    try new.exchange()
    #expect(new.takeDeliveries().count == 1)
    #expect(try admin.owned() == ["worker-1": [0, 1]])
    #expect(stage.closed.contains(old.id))
}

@Test func `a paused instance that is to leave is fenced off, and harmless when it wakes`() throws {
    let stage = try HubStage()
    let admin = StageAdmin(stage)
    let stays = StageWorker(stage, instance: "worker-1")
    let paused = StageWorker(stage, instance: "worker-2")
    for _ in 1...2 {
        try stays.exchange()
        try paused.exchange()
    }
    let shoppers = StageShoppers(stage)
    for number in 1...20 { shoppers.publish("order-\(number)", UInt64(number)) }
    try shoppers.exchange()
    try paused.exchange()
    let held = paused.takeDeliveries()
    #expect(!held.isEmpty)

    _ = try admin.ask(["do": "leave", "instance": "worker-2"])
    try stage.passes(.milliseconds(1990))
    #expect(try admin.left().isEmpty)
    try stage.passes(.milliseconds(20))
    #expect(try admin.left() == ["worker-2"])
    try stays.exchange()
    for item in stays.takeDeliveries() { stays.commit(item) }
    try stays.exchange()
    #expect(stays.committed.count == 20)

    let end = stage.hub.position
    for item in held { paused.commit(item) }
    try paused.exchange()
    #expect(stage.hub.position == end, "a stale commit was stored")
    #expect(paused.committed.isEmpty)
    #expect(stage.audit.contains { $0["refused"]?.string == "staleEpoch" })
}

@Test func `whoever comes and goes, each partition has one owner and the shares are even`() throws {
    let stage = try HubStage(layout: layout(partitions: 5))
    let admin = StageAdmin(stage)
    var workers: [String: StageWorker] = [:]
    var random = SeededRandom(seed: 3)
    for _ in 1...300 {
        let name = "worker-\(1 + random.below(2))"
        switch (workers[name], random.below(3)) {
        case (nil, _): workers[name] = StageWorker(stage, instance: name)
        case (let worker?, 0):
            stage.hub.disconnected(worker.id, now: stage.now)
            workers[name] = nil
        case (let worker?, 1):
            _ = try admin.ask(["do": "leave", "instance": .string(name)])
            try worker.exchange()
            stage.hub.disconnected(worker.id, now: stage.now)
            workers[name] = nil
        default: try stage.passes(.milliseconds(700))
        }
        for _ in 1...3 {
            for name in workers.keys.sorted() { try workers[name]?.exchange() }
        }
        let owned = try admin.owned()
        #expect(owned.keys.sorted() == workers.keys.sorted())
        guard !owned.isEmpty else { continue }
        #expect(owned.values.flatMap(\.self).sorted() == [0, 1, 2, 3, 4])
        let shares = owned.values.map(\.count)
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }
    #expect(try admin.ask(["do": "leave", "instance": "worker-9"])["error"]?.string != nil)
}
