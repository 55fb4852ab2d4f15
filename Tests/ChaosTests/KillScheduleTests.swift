import Chaos
import Testing

@Suite struct `A schedule of kills` {
    private func run(_ seed: UInt64, isUp: (String) -> Bool = { _ in true }) -> [(Int64, String)] {
        var schedule = KillSchedule(count: 30, targets: ["hub", "orders", "bank"], seed: seed)
        var kills: [(Int64, String)] = []
        for progress in stride(from: Int64(0), through: KillSchedule.whole, by: 500) {
            while let name = schedule.next(at: progress, isUp: isUp) {
                kills.append((progress, name))
            }
        }
        #expect(schedule.remainingCount == 0)
        return kills
    }

    @Test func `spends all its kills before the end, on every target, the same for a seed`() {
        let kills = self.run(7)
        #expect(kills.count == 30)
        #expect(kills.allSatisfy { $0.0 <= KillSchedule.whole * 9 / 10 + 500 })
        #expect(Set(kills.map(\.1)) == ["hub", "orders", "bank"])
        #expect(kills.map(\.1) == self.run(7).map(\.1))
        #expect(kills.map(\.0) != self.run(8).map(\.0))
    }

    @Test func `takes another target where one is down, and waits where all are`() {
        #expect(self.run(7) { $0 != "hub" }.allSatisfy { $0.1 != "hub" })
        var schedule = KillSchedule(count: 3, targets: ["hub"], seed: 1)
        #expect(schedule.next(at: KillSchedule.whole, isUp: { _ in false }) == nil)
        #expect(schedule.remainingCount == 3)
        #expect(schedule.next(at: KillSchedule.whole, isUp: { _ in true }) == "hub")
    }
}
