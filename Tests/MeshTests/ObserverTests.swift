import Mesh
import Testing

/// What a client hears that follows the log.
@Suite("An observer") struct ObserverTests {
    private let stage: HubStage
    private let shoppers: StageShoppers

    init() throws {
        self.stage = try HubStage()
        self.shoppers = StageShoppers(self.stage)
        try self.shoppers.exchange()
    }

    /// An observer that does what a test says.
    private struct Observer {
        let stage: HubStage
        let id: ConnectionID
        var client = AdminClient(
            hello: Hello(role: .observer, name: "squall", instance: "squall", token: "secret")
        )

        init(_ stage: HubStage) throws {
            self.stage = stage
            self.id = stage.connect()
            self.client.connected()
            #expect(try self.positions() == [])
        }

        /// Sends what is to be sent, and returns what the hub then has said.
        mutating func positions() throws -> [UInt64] {
            self.stage.send(self.client.takeOutput(), on: self.id)
            try self.stage.flush()
            var positions: [UInt64] = []
            for frame in self.stage.take(self.id) {
                let actions = try frame.withUnsafeBytes { raw in
                    try Result { () throws(WireError) in try self.client.received(raw) }.get()
                }
                for case .durable(let position) in actions { positions.append(position) }
            }
            return positions
        }
    }

    private func publish(_ number: UInt64) throws -> UInt64 {
        self.shoppers.publish("a", number)
        try self.shoppers.exchange()
        return self.stage.hub.position
    }

    @Test func `who follows the log hears once that it has grown, until it asks again`() throws {
        var observer = try Observer(self.stage)
        let first = try self.publish(1)
        let second = try self.publish(2)
        #expect(second > first)
        #expect(try observer.positions() == [first])

        // It grew since then, which is heard at once.
        observer.client.follow()
        #expect(try observer.positions() == [second])
        observer.client.follow()
        #expect(try observer.positions() == [])
        let third = try self.publish(3)
        #expect(try observer.positions() == [third])
        #expect(try observer.positions() == [])
    }

    @Test func `who follows the log hears of what a new hub has, too`() throws {
        var observer = try Observer(self.stage)
        let first = try self.publish(1)
        #expect(try observer.positions() == [first])
        try self.stage.restart()

        observer = try Observer(self.stage)
        observer.client.follow()
        #expect(try observer.positions() == [self.stage.hub.position])
    }

    @Test func `who is no observer may not follow`() throws {
        let id = self.stage.connect()
        let hello = Hello(role: .admin, name: "squall", instance: "squall", token: "secret")
        var admin = AdminClient(hello: hello)
        admin.connected()
        admin.follow()
        self.stage.send(admin.takeOutput(), on: id)
        try self.stage.flush()
        #expect(self.stage.closed.contains(id))
    }
}
