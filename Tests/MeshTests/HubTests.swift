import Mesh
import SimulatedWorld
import Testing

@Test func `what is accepted survives the loss of power, in order and once`() throws {
    let stage = try HubStage()
    let shoppers = StageShoppers(stage)
    for number in 1...50 { shoppers.publish("order-\(number % 5)", UInt64(number)) }
    try shoppers.exchange()
    #expect(shoppers.acceptedUpTo == 50)
    try stage.restart()

    let worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    let deliveries = worker.takeDeliveries()
    // One delivery for each subject at a time; the rest wait behind it.
    #expect(deliveries.count == 5)
    var seen: [String: [UInt64]] = [:]
    var next = deliveries
    while !next.isEmpty {
        for item in next {
            seen[item.delivery.event.subject, default: []].append(item.delivery.event.id.low)
            worker.commit(item)
        }
        try worker.exchange()
        next = worker.takeDeliveries()
    }
    #expect(seen.values.reduce(0) { $0 + $1.count } == 50)
    for order in seen.values { #expect(order == order.sorted()) }
}

@Test func `events that wait for others of their subject keep their data`() throws {
    let stage = try HubStage()
    let worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    let shoppers = StageShoppers(stage)
    let data = { (number: UInt64) in [UInt8](repeating: UInt8(number), count: 300) }
    // Of the first ones nobody keeps any, so that those that wait get their memory.
    for numbers in [1...1, 2...2, 3...3, 4...5, 6...8, 9...20] as [ClosedRange<UInt64>] {
        for number in numbers {
            shoppers.client.publish(event("a", number, data: data(number)), to: "orders")
        }
        try shoppers.exchange()
        var handled: [UInt64] = []
        while handled.count < numbers.count {
            try worker.exchange()
            let item = try #require(worker.takeDeliveries().first)
            #expect(item.delivery.event.data == data(item.delivery.event.id.low))
            handled.append(item.delivery.event.id.low)
            worker.commit(item)
        }
        #expect(handled == Array(numbers))
    }
}

@Test func `a publisher that sends again after a lost connection is stored once`() throws {
    let stage = try HubStage()
    let first = StageShoppers(stage)
    first.publish("a", 1)
    first.publish("a", 2)
    let again = first.client
    try first.exchange()
    let end = stage.hub.position
    // The answer never arrived: the same events come again on a new connection.
    let second = StageShoppers(stage)
    second.client = again
    second.client.disconnected()
    second.client.connected()
    try second.exchange()
    #expect(second.acceptedUpTo == 2)
    #expect(stage.hub.position == end)
}

@Test func `a turn that did not commit is handled again, and its changes are not there`() throws {
    let stage = try HubStage()
    let shoppers = StageShoppers(stage)
    shoppers.publish("a", 1)
    try shoppers.exchange()
    let first = StageWorker(stage, instance: "worker-1")
    try first.exchange()
    #expect(first.takeDeliveries().count == 1)
    stage.hub.disconnected(first.id, now: stage.now)

    let second = StageWorker(stage, instance: "worker-1")
    try second.exchange()
    let item = try #require(second.takeDeliveries().first)
    #expect(second.changes.values.reduce(0) { $0 + $1.count } == 0)
    second.commit(item, change: [7], emit: event("a", 9, source: "worker"))
    try second.exchange()
    #expect(second.committed == [1])
    stage.hub.disconnected(second.id, now: stage.now)

    let third = StageWorker(stage, instance: "worker-1")
    try third.exchange()
    #expect(third.takeDeliveries().isEmpty)
    #expect(third.changes[item.partition] == [[7]])
    let reader = StageWorker(stage, service: "reader", instance: "reader-1")
    try reader.exchange()
    #expect(reader.takeDeliveries().map(\.delivery.event.id.low) == [9])
}

@Test func `an owner whose partition has moved is refused and drops its memory`() throws {
    let stage = try HubStage()
    let shoppers = StageShoppers(stage)
    let paused = StageWorker(stage, instance: "worker-1")
    try paused.exchange()
    for number in 1...20 { shoppers.publish("order-\(number)", UInt64(number)) }
    try shoppers.exchange()
    try paused.exchange()
    let held = paused.takeDeliveries()
    #expect(held.count == 20)

    // It hears nothing for three seconds, while another instance joins.
    let heir = StageWorker(stage, instance: "worker-2")
    try heir.exchange()
    try stage.passes(.seconds(3))
    try heir.exchange()
    let moved = heir.takeDeliveries()
    #expect(!moved.isEmpty)
    for item in moved { heir.commit(item) }
    try heir.exchange()

    let end = stage.hub.position
    let stale = held.filter { item in moved.contains { $0.partition == item.partition } }
    for item in stale { paused.commit(item) }
    stage.send(paused.client.takeOutput(), on: paused.id)
    try stage.flush()
    #expect(stage.hub.position == end, "a stale commit was stored")
    #expect(stage.audit.contains { $0["refused"]?.string == "staleEpoch" })
}

@Test func `owners that die one after the other do not use up the attempts at once`() throws {
    let stage = try HubStage(layout: HubStage.layout)
    let shoppers = StageShoppers(stage)
    for number in 1...2 { shoppers.publish("late", UInt64(number)) }
    shoppers.publish("other", 3)
    try shoppers.exchange()
    var worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    let first = try #require(worker.takeDeliveries().first { $0.delivery.event.id.low == 1 })
    worker.fail(first, "the bank does not answer")
    try worker.exchange()

    // The next owner comes before the failed event is due: others reach it, the subject waits.
    stage.hub.disconnected(worker.id, now: stage.now)
    worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    #expect(worker.takeDeliveries().map(\.delivery.event.id.low) == [3])
    try stage.passes(.seconds(5))
    try worker.exchange()
    let again = try #require(worker.takeDeliveries().first)
    #expect(again.delivery.event.id.low == 1)
    #expect(again.delivery.attempt == 2)
    worker.commit(again)
    try worker.exchange()
    #expect(worker.takeDeliveries().map(\.delivery.event.id.low) == [2])
}

@Test func `an event that a new owner waits for is not lost on a link that damages it`() throws {
    let stage = try HubStage(layout: HubStage.layout)
    let shoppers = StageShoppers(stage)
    for number in 1...2 { shoppers.publish("late", UInt64(number)) }
    try shoppers.exchange()
    var worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    worker.fail(try #require(worker.takeDeliveries().first), "the bank does not answer")
    try worker.exchange()

    let admin = StageAdmin(stage)
    let damaging: JSONValue = [
        "do": "link", "from": "shoppers", "to": "worker", "fault": ["kind": "corrupt"],
    ]
    #expect(try admin.ask(damaging)["error"] == nil)
    stage.hub.disconnected(worker.id, now: stage.now)
    worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    #expect(try admin.ask(["do": "heal"])["error"] == nil)
    for number in 1...2 as ClosedRange<UInt64> {
        try stage.passes(.seconds(10))
        try worker.exchange()
        let item = try #require(worker.takeDeliveries().first)
        #expect(item.delivery.event.id.low == number)
        worker.commit(item)
        try worker.exchange()
    }
}

@Test func `an attempt that is said twice to have failed has failed once`() throws {
    let stage = try HubStage()
    let shoppers = StageShoppers(stage)
    for number in 1...2 { shoppers.publish("poison", UInt64(number)) }
    try shoppers.exchange()
    let worker = StageWorker(stage, instance: "worker-1")
    for attempt in 1...4 {
        try worker.exchange()
        let item = try #require(worker.takeDeliveries().first)
        #expect(item.delivery.event.id.low == 1)
        #expect(item.delivery.attempt == attempt)
        worker.fail(item, "cannot be parsed")
        let said = worker.client.takeOutput()
        stage.send(said + said, on: worker.id)
        try stage.flush()
        try stage.passes(.seconds(10))
    }
}

@Test func `an event that fails again and again becomes a dead letter, redriven once`() throws {
    var layout = HubStage.layout
    layout.limits.attemptsMax = 3
    let stage = try HubStage(layout: layout)
    let shoppers = StageShoppers(stage)
    shoppers.publish("poison", 1)
    shoppers.publish("poison", 2)
    try shoppers.exchange()
    let worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    var attempts: [Int] = []
    for _ in 1...3 {
        let item = try #require(worker.takeDeliveries().first)
        #expect(item.delivery.event.id.low == 1, "the subject's next event overtook it")
        attempts.append(item.delivery.attempt)
        worker.fail(item, "cannot be parsed")
        try worker.exchange()
        try stage.passes(.seconds(3))
        try worker.exchange()
    }
    #expect(attempts == [1, 2, 3])
    // Given up: the subject goes on.
    let next = try #require(worker.takeDeliveries().first)
    #expect(next.delivery.event.id.low == 2)
    worker.commit(next)
    try worker.exchange()

    let admin = StageAdmin(stage)
    let listed = try admin.ask(["do": "dead-letters"])
    let letters = try #require(listed["deadLetters"]?.array)
    #expect(letters.count == 1)
    #expect(letters.first?["error"]?.string == "cannot be parsed")
    #expect(letters.first?["attempts"]?.int == 3)
    try stage.restart()

    let again = StageWorker(stage, instance: "worker-1")
    try again.exchange()
    #expect(again.takeDeliveries().isEmpty)
    let second = StageAdmin(stage)
    #expect(try second.ask(["do": "redrive", "dryRun": true])["redriven"]?.int == 1)
    #expect(try second.ask(["do": "redrive"])["redriven"]?.int == 1)
    #expect(try second.ask(["do": "redrive"])["redriven"]?.int == 0)
    try again.exchange()
    #expect(again.takeDeliveries().map(\.delivery.event.id.low) == [1])
}

/// A worker that has handled an event and set a timer for event 5 of the same subject.
private func workerWithTimer(on stage: HubStage, due: Instant) throws -> StageWorker {
    let shoppers = StageShoppers(stage)
    shoppers.publish("a", 1)
    try shoppers.exchange()
    let worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    let item = try #require(worker.takeDeliveries().first)
    let decision = TurnDecision()
    let timer = event("a", 5, source: "worker")
    decision.set(TimerRequest(name: "late", due: due, event: timer))
    _ = worker.client.decided(item.partition, epoch: item.epoch, item.delivery, decision)
    worker.note(worker.client.finished(item.partition, epoch: item.epoch, item.delivery))
    try worker.exchange()
    return worker
}

@Test func `a timer comes back once, not early, also after a crash of the hub`() throws {
    let stage = try HubStage()
    let due = stage.now + .seconds(10)
    _ = try workerWithTimer(on: stage, due: due)
    try stage.passes(.seconds(9))
    try stage.restart()
    let heir = StageWorker(stage, instance: "worker-1")
    try heir.exchange()
    #expect(heir.takeDeliveries().isEmpty)
    #expect(stage.hub.nextDeadline == due)
    try stage.passes(.seconds(2))
    try heir.exchange()
    let fired = heir.takeDeliveries()
    #expect(fired.map(\.delivery.event.id.low) == [5])
    try stage.passes(.seconds(100))
    try heir.exchange()
    #expect(heir.takeDeliveries().isEmpty)
}

@Test func `a timer waits while the topology is about to end, and fires should it go on`() throws {
    let stage = try HubStage()
    let worker = try workerWithTimer(on: stage, due: stage.now + .seconds(1))
    _ = try StageAdmin(stage).ask(["do": "rest"])
    try stage.passes(.seconds(2))
    try worker.exchange()
    #expect(worker.takeDeliveries().isEmpty)
    try stage.passes(.seconds(4))
    try worker.exchange()
    #expect(worker.takeDeliveries().map(\.delivery.event.id.low) == [5])
}

@Test func `timers that are set and cancelled leave nothing behind, and the others fire`() throws {
    let stage = try HubStage()
    let shoppers = StageShoppers(stage)
    let worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    for number in 1...5000 {
        shoppers.publish("order-\(number)", UInt64(number))
        try shoppers.exchange()
        try worker.exchange()
        let item = try #require(worker.takeDeliveries().first)
        let decision = TurnDecision()
        let name = "timer-\(number)"
        let late = event("late-\(number)", UInt64(number), source: "worker")
        decision.set(TimerRequest(name: name, due: stage.now + .seconds(60), event: late))
        if !number.isMultiple(of: 1000) { decision.cancel(timer: name) }
        _ = worker.client.decided(item.partition, epoch: item.epoch, item.delivery, decision)
        worker.note(worker.client.finished(item.partition, epoch: item.epoch, item.delivery))
        try worker.exchange()
    }
    #expect(stage.hub.deadlineCount < 2000)
    try stage.passes(.seconds(61))
    try worker.exchange()
    let fired = worker.takeDeliveries().map(\.delivery.event.id.low)
    #expect(fired.sorted() == [1000, 2000, 3000, 4000, 5000])
}

@Test func `a cut link holds deliveries back and counts them; healing delivers all`() throws {
    let stage = try HubStage()
    let shoppers = StageShoppers(stage)
    let worker = StageWorker(stage, instance: "worker-1")
    try worker.exchange()
    let admin = StageAdmin(stage)
    _ = try admin.ask(["do": "cut", "from": "shoppers", "to": "worker"])
    for number in 1...600 { shoppers.publish("order-\(number)", UInt64(number)) }
    try shoppers.exchange()
    try worker.exchange()
    #expect(worker.takeDeliveries().isEmpty)
    let healed = try admin.ask(["do": "heal"])
    let bitten = healed["healed"]?.array?.first?["bitten"]?.int ?? 0
    // What a cut holds back is bounded by the window of each partition.
    #expect(bitten == 512)
    var seen: Set<UInt64> = []
    while true {
        try worker.exchange()
        let items = worker.takeDeliveries()
        if items.isEmpty { break }
        for item in items {
            seen.insert(item.delivery.event.id.low)
            worker.commit(item)
        }
    }
    #expect(seen.count == 600)
    let wrong = try admin.ask(["do": "cut", "from": "worker", "to": "shoppers"])
    #expect(wrong["error"]?.string?.contains("there is no link") == true)
}

@Test func `a consumer far behind reads old events from the log`() throws {
    let stage = try HubStage()
    let shoppers = StageShoppers(stage)
    for number in 1...6000 { shoppers.publish("order-\(number % 97)", UInt64(number)) }
    try shoppers.exchange()
    let worker = StageWorker(stage, instance: "worker-1")
    var seen = 0
    while true {
        try worker.exchange()
        let items = worker.takeDeliveries()
        if items.isEmpty { break }
        seen += items.count
        for item in items { worker.commit(item) }
    }
    #expect(seen == 6000)
}
