import Mesh
import Testing

/// Faults on every hop of a link: what is lost comes again, nothing is doubled or reordered, and
/// healing leaves nothing behind.
@Suite struct `A bad link` {
    /// A hub, shoppers and a worker that commits what it is given, in virtual time.
    private final class Line {
        let stage: HubStage
        let shoppers: StageShoppers
        let worker: StageWorker
        let admin: StageAdmin
        private(set) var handled: [EventEnvelope] = []
        private var number: UInt64 = 0

        init(layout: MeshLayout = HubStage.layout) throws {
            self.stage = try HubStage(layout: layout)
            self.shoppers = StageShoppers(self.stage)
            self.worker = StageWorker(self.stage, instance: "worker-1")
            self.admin = StageAdmin(self.stage)
            try self.shoppers.exchange()
            try self.worker.exchange()
        }

        func arm(_ fault: JSONValue, from: String = "shoppers", to: String = "worker") throws {
            let answer = try self.admin.ask([
                "do": "link", "from": .string(from), "to": .string(to), "fault": fault,
            ])
            #expect(answer["error"] == nil, "\(answer.text)")
            try self.exchange()
        }

        func publish(_ count: Int, subjects: Int = 7, bytes: Int = 0) {
            let data = [UInt8](repeating: 7, count: bytes)
            for _ in 0..<count {
                self.number += 1
                let subject = "s\(Int(self.number) % subjects)"
                let order = event(subject, self.number, data: data)
                _ = self.shoppers.client.publish(order, to: "orders")
            }
        }

        /// Lets everybody talk, and the worker commit what it was given.
        func exchange() throws {
            var isBusy = true
            while isBusy {
                try self.shoppers.exchange()
                try self.worker.exchange()
                let items = self.worker.takeDeliveries()
                for item in items {
                    self.worker.commit(item)
                    let isOwned = self.worker.client.owns(item.partition, epoch: item.epoch)
                    if isOwned { self.handled.append(item.delivery.event) }
                }
                isBusy = !items.isEmpty
            }
        }

        /// Lets time pass; the clients ask about what stays unanswered, as their shells do.
        func passes(_ time: Duration, in steps: Int = 20) throws {
            for _ in 0..<steps {
                try self.stage.passes(time / steps)
                _ = self.worker.client.askAboutUnanswered()
                if self.shoppers.client.unconfirmedCount > 0 { self.shoppers.client.sendAgain() }
                try self.exchange()
            }
        }

        func rules() throws -> [JSONValue] {
            try self.admin.ask(["do": "status"])["rules"]?.array ?? []
        }

        func lag() throws -> Int64 {
            let services = try self.admin.ask(["do": "status"])["services"]?.array ?? []
            return services.first { $0["name"]?.string == "worker" }?["lag"]?.int ?? -1
        }

        /// Everything was committed exactly once and each subject in its order.
        func expectAllHandled(_ count: Int) throws {
            #expect(try self.lag() == 0)
            #expect(self.shoppers.client.unconfirmedCount == 0)
            // The journal holds one change for each turn that counted.
            let heir = StageWorker(self.stage, instance: "worker-1")
            try heir.exchange()
            #expect(heir.changes.values.reduce(0) { $0 + $1.count } == count)
            #expect(heir.takeDeliveries().isEmpty)
            for subject in Set(self.handled.map(\.subject)) {
                var last: UInt64 = 0
                for event in self.handled where event.subject == subject {
                    // A turn that was lost is handled again; nothing is skipped.
                    let isNext = event.id.low <= last || event.id.low == last + 7 || last == 0
                    #expect(isNext, "\(subject): \(event.id.low) after \(last)")
                    last = max(last, event.id.low)
                }
            }
        }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var kind: String
        var hop: String
        var parameters: JSONValue
        var testDescription: String { "\(self.kind) on \(self.hop)" }

        var fault: JSONValue {
            let own: [JSONValue.Member] = [
                .init("kind", .string(self.kind)), .init("hop", .string(self.hop)),
            ]
            return .object(own + (self.parameters.object ?? []))
        }

        static let all: [Case] = LinkFault.Hop.allCases.flatMap { hop in
            let some: JSONValue = ["chance": "30%"]
            let kinds: [(String, JSONValue)] = [
                ("delay", ["by": "20ms", "jitter": "30ms"]), ("drop", some), ("duplicate", some),
                ("reorder", some), ("corrupt", some), ("hold", ["by": "50ms", "every": 5]),
                ("throttle", ["rate": 200]),
            ]
            return kinds.map { Case(kind: $0.0, hop: hop.rawValue, parameters: $0.1) }
        }
    }

    @Test(arguments: Case.all)
    func `bites, loses and doubles nothing, keeps the order, and heals without a trace`(
        item: Case
    ) throws {
        let line = try Line()
        try line.arm(item.fault)
        for _ in 1...10 {
            line.publish(7)
            try line.passes(.milliseconds(200), in: 10)
        }
        try line.passes(.seconds(20), in: 40)
        let bitten = try line.rules().first?["bitten"]?.int ?? 0
        #expect(bitten > 0, "it never bit")
        try line.expectAllHandled(70)
        _ = try line.admin.ask(["do": "heal"])
        #expect(try line.rules().isEmpty)
        line.publish(7)
        try line.exchange()
    }

    @Test(arguments: LinkFault.Hop.allCases)
    func `that is cut lets nothing pass until it is healed`(hop: LinkFault.Hop) throws {
        let line = try Line()
        try line.arm(["kind": "cut", "hop": .string(hop.rawValue)])
        line.publish(14)
        try line.passes(.seconds(3))
        #expect((try line.rules().first?["bitten"]?.int ?? 0) > 0)
        let isDone = try line.lag() == 0 && line.shoppers.client.unconfirmedCount == 0
        // Only the answer to the worker can be missing without anybody lagging behind.
        #expect(isDone == (hop == .commitAnswer))
        _ = try line.admin.ask(["do": "heal"])
        try line.passes(.seconds(3))
        try line.expectAllHandled(14)
    }

    @Test func `between a service and the hub takes its name and the hub's`() throws {
        let line = try Line()
        try line.arm(["kind": "drop", "hop": "commit", "every": 3], from: "worker", to: "hub")
        line.publish(21)
        try line.passes(.seconds(10))
        #expect((try line.rules().first?["bitten"]?.int ?? 0) > 0)
        try line.expectAllHandled(21)
    }

    @Test func `that cuts a publisher off keeps some of what it sends, and gets the rest again`()
        throws
    {
        let line = try Line()
        let cut: JSONValue = ["do": "cut", "from": "shoppers", "to": "hub"]
        #expect(try line.admin.ask(cut)["error"] == nil)
        line.publish(6000, bytes: 1000)
        line.stage.send(line.shoppers.client.takeOutput(), on: line.shoppers.id)
        try line.stage.flush()
        #expect(try line.admin.ask(["do": "heal"])["healed"]?.array?.count == 1)
        // The hub has what it held, a bounded part, before anything is sent again.
        let status = try line.admin.ask(["do": "status"])
        let worker = status["services"]?.array?.first { $0["name"] == "worker" }
        #expect((1000..<2400).contains(worker?["lag"]?.int ?? 0), "\(status.text)")
        line.publish(1)
        try line.exchange()
        #expect(line.handled.count == 6001)
        #expect(line.shoppers.client.unconfirmedCount == 0)
    }

    @Test func `that loses every delivery tries each again, and again`() throws {
        let line = try Line()
        try line.arm(["kind": "drop", "subject": "s1"])
        line.publish(7)
        try line.passes(.milliseconds(3500), in: 7)
        // At once and after one, two and three seconds; the other subjects went on.
        #expect(try line.rules().first?["bitten"]?.int == 4)
        #expect(line.handled.count == 6)
        _ = try line.admin.ask(["do": "heal"])
        try line.exchange()
        try line.expectAllHandled(7)
    }

    @Test func `that delays both directions looks no more often than there is something due`()
        throws
    {
        let line = try Line()
        try line.arm(["kind": "delay", "hop": "publish", "by": "30ms", "jitter": "20ms"])
        try line.arm(["kind": "delay", "hop": "publish-answer", "by": "17ms", "jitter": "20ms"])
        var most = 0
        for _ in 0..<200 {
            line.publish(1)
            try line.passes(.milliseconds(3), in: 1)
            most = max(most, line.stage.hub.deadlineCount)
        }
        #expect(most < 100)
        try line.passes(.seconds(5))
        try line.expectAllHandled(200)
    }

    @Test func `of the topology file stands and is not healed`() throws {
        let line = try Line()
        line.stage.hub.armStanding(LinkFault(kind: .duplicate), from: "shoppers", to: "worker")
        _ = try line.admin.ask(["do": "heal"])
        let rule = try #require(try line.rules().first)
        #expect(rule["standing"]?.bool == true)
        #expect(rule["rule"]?.string == "shoppers→worker duplicate")
        line.publish(7)
        try line.exchange()
        try line.expectAllHandled(7)
    }

    @Test(
        arguments: [
            (["kind": "tear"], "needs a 'kind'"), (["kind": "delay"], "a delay needs 'by'"),
            (["kind": "drop", "by": "1s"], "'by' means nothing for a drop"),
            (["kind": "drop", "hop": "moon"], "'hop' is one of"),
            (["kind": "delay", "by": "soon"], "'by' is a duration"),
            (["kind": "drop", "chance": "most"], "'chance' is a share"),
        ] as [(JSONValue, String)]
    )
    func `is refused where it makes no sense`(fault: JSONValue, message: String) throws {
        let line = try Line()
        let answer = try line.admin.ask([
            "do": "link", "from": "shoppers", "to": "worker", "fault": fault,
        ])
        #expect(answer["error"]?.string?.contains(message) == true, "\(answer.text)")
        #expect(try line.rules().isEmpty)
    }
}

@Suite struct `A backlog at its limit` {
    @Test func `has publishers refused until the consumer has caught up`() throws {
        var layout = HubStage.layout
        layout.limits.backlogMax = 10
        let stage = try HubStage(layout: layout)
        let shoppers = StageShoppers(stage)
        for number in 1...100 { shoppers.publish("order-\(number)", UInt64(number)) }
        try shoppers.exchange()
        #expect(shoppers.client.unconfirmedCount == 0)
        #expect(!shoppers.refusals.isEmpty)
        #expect(shoppers.refusals.allSatisfy { $0.code == .full })
        #expect(shoppers.refusals.first?.message.contains("limits.backlogMax") == true)
        let stored = 100 - shoppers.refusals.count
        let worker = StageWorker(stage, instance: "worker-1")
        try worker.exchange()
        let items = worker.takeDeliveries()
        #expect(items.count == stored)
        for item in items { worker.commit(item) }
        try worker.exchange()
        let refused = shoppers.refusals.count
        shoppers.publish("order-101", 101)
        try shoppers.exchange()
        #expect(shoppers.refusals.count == refused)
        try worker.exchange()
        #expect(worker.takeDeliveries().map(\.delivery.event.id.low) == [101])
    }
}

@Suite struct `Several links` {
    @Test func `go bad in one step, answer for each of them, and heal in one`() throws {
        let stage = try HubStage()
        let admin = StageAdmin(stage)
        let cuts: [JSONValue] = [
            ("shoppers", "worker"), ("nobody", "worker"), ("worker", "reader"),
        ]
        .map { ["from": .string($0.0), "to": .string($0.1), "fault": ["kind": "cut"]] }
        let armed = try admin.ask(["do": "arm", "faults": .array(cuts)])["armed"]?.array ?? []
        #expect(armed.map { $0["number"]?.int } == [1, nil, 2])
        #expect(armed[1]["error"]?.string?.contains("nobody→worker") == true)
        let shoppers = StageShoppers(stage)
        let worker = StageWorker(stage, instance: "worker-1")
        shoppers.publish("s1", 1)
        try shoppers.exchange()
        try worker.exchange()
        #expect(worker.takeDeliveries().isEmpty)
        let healed = try admin.ask(["do": "heal", "numbers": [1, 2]])["healed"]?.array ?? []
        #expect(healed.map { $0["number"]?.int } == [1, 2])
        try worker.exchange()
        #expect(worker.takeDeliveries().count == 1)
    }
}
