import Chaos
import Glibc
import Mesh
import MeshSocket
import Testing

@testable import RealWorld

@Suite struct `The load` {
    @Test func `is refused while more orders than can be remembered have no answer`() throws {
        let folder = "/tmp/squall-load-\(getpid())"
        let disk = try FolderDisk(folder: folder)
        defer {
            try? disk.remove(ShoppersLedger.fileName)
            rmdir(folder)
        }
        let loop = try EventLoop()
        // Nobody listens there.
        let driver = LoadDriver(
            loop: loop,
            path: "\(folder)/none.sock",
            hello: Hello(role: .publisher, name: "shoppers", instance: "shoppers", token: ""),
            disk: disk
        )
        var plan = LoadPlan()
        plan.rate = OrderRate(perSecond: 1_000_000)
        let start = loop.now() + .milliseconds(-20)
        driver.start(.shoppers(Shoppers(load: plan, seed: 1, start: start)))
        #expect(driver.unansweredCount == LoadDriver.unansweredMax)
        #expect(driver.refusedCount > 0)
        driver.close()
        let ledger = try ShoppersLedger(reading: disk)
        #expect(ledger.count(.refused) == driver.refusedCount)
        #expect(ledger.count(.unknown) == driver.unansweredCount)
    }
}
