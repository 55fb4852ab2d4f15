import Mesh
import SimulatedWorld
import Testing

/// A disk that is made to fail, under a hub.
@Suite struct `A disk that fails on purpose` {
    private let memory = MemoryDisk()
    private let faults = DiskFaults()
    private let disk: FaultyDisk
    private let waits: Waits

    private final class Waits {
        var total = Duration.zero
    }

    init() {
        let waits = Waits()
        self.waits = waits
        self.disk = FaultyDisk(self.memory, self.faults) { waits.total = waits.total + $0 }
    }

    @Test func `loses what a failed sync covered, and works again afterwards`() throws {
        try self.disk.append([1, 2], to: "a")
        try self.disk.sync("a")
        self.faults.failsNextSync = true
        try self.disk.append([3, 4], to: "a")
        #expect(throws: DiskError.self) { try self.disk.sync("a") }
        #expect(self.memory.size(of: "a") == 2)
        #expect(!self.faults.failsNextSync)
    }

    @Test func `cuts one write short`() throws {
        self.faults.tearsNextWrite = true
        #expect(throws: DiskError.self) { try self.disk.append([1, 2, 3, 4], to: "a") }
        #expect(self.memory.size(of: "a") == 2)
        try self.disk.append([5], to: "a")
        #expect(self.memory.size(of: "a") == 3)
    }

    @Test func `has room while it is full for what was put aside before, and for no more`() throws {
        try self.disk.reserve("a", upTo: 4)
        self.faults.isFull = true
        try self.disk.append([1, 2, 3, 4], to: "a")
        #expect(throws: DiskError.self) { try self.disk.append([5], to: "a") }
        #expect(throws: DiskError.self) { try self.disk.reserve("a", upTo: 8) }
        #expect(self.faults.refusedCount == 2)
        self.faults.isFull = false
        try self.disk.append([5], to: "a")
        #expect(self.memory.size(of: "a") == 5)
    }

    @Test func `is full for a hub at once, which refuses and then goes on by itself`() throws {
        let stage = try HubStage(disk: self.memory, seenThrough: self.disk)
        let shoppers = StageShoppers(stage)
        let admin = StageAdmin(stage)
        try shoppers.exchange()
        #expect(try admin.ask(["do": "disk", "isFull": true])["error"] != nil)
        stage.hub.diskFaults = self.faults
        #expect(try admin.ask(["do": "disk", "isFull": true])["error"] == nil)
        shoppers.publish("s1", 1)
        try shoppers.exchange()
        #expect(shoppers.refusals.map(\.code) == [.full])
        #expect(try admin.ask(["do": "disk"])["disk"]?["refused"]?.int ?? 0 > 0)
        try stage.passes(.milliseconds(250))
        shoppers.publish("s1", 2)
        try shoppers.exchange()
        #expect(shoppers.refusals.count == 1)
    }

    @Test func `lets each sync of a hub take longer, and counts them`() throws {
        let stage = try HubStage(disk: self.memory, seenThrough: self.disk)
        stage.hub.diskFaults = self.faults
        let shoppers = StageShoppers(stage)
        let admin = StageAdmin(stage)
        try shoppers.exchange()
        _ = try admin.ask(["do": "slow", "service": "hub", "milliseconds": 20])
        shoppers.publish("s1", 1)
        try shoppers.exchange()
        let slow = try admin.ask(["do": "status"])["slowSyncs"]?.int ?? 0
        #expect(slow > 0)
        #expect(self.waits.total == .milliseconds(20 * slow))
        let healed = try admin.ask(["do": "slow", "service": "hub", "milliseconds": 0])
        #expect(healed["bitten"]?.int == slow)
        #expect(try admin.ask(["do": "status"])["slowSyncs"] == 0)
    }
}
