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

    private func observer() throws -> StageAdmin {
        let observer = StageAdmin(self.stage, as: .observer)
        #expect(try observer.takePositions() == [])
        return observer
    }

    private func publish(_ number: UInt64) throws -> UInt64 {
        self.shoppers.publish("a", number)
        try self.shoppers.exchange()
        return self.stage.hub.position
    }

    @Test func `who follows the log hears once that it has grown, until it asks again`() throws {
        let observer = try self.observer()
        let first = try self.publish(1)
        let second = try self.publish(2)
        #expect(second > first)
        #expect(try observer.takePositions() == [first])

        // It grew since then, which is heard at once.
        observer.client.follow()
        #expect(try observer.takePositions() == [second])
        observer.client.follow()
        #expect(try observer.takePositions() == [])
        let third = try self.publish(3)
        #expect(try observer.takePositions() == [third])
        #expect(try observer.takePositions() == [])
    }

    @Test func `who follows the log hears of what a new hub has, too`() throws {
        var observer = try self.observer()
        let first = try self.publish(1)
        #expect(try observer.takePositions() == [first])
        try self.stage.restart()

        observer = try self.observer()
        observer.client.follow()
        #expect(try observer.takePositions() == [self.stage.hub.position])
    }

    @Test func `who is no observer may not follow`() throws {
        let admin = StageAdmin(self.stage)
        admin.client.follow()
        _ = try admin.exchange()
        #expect(self.stage.closed.contains(admin.id))
    }
}
