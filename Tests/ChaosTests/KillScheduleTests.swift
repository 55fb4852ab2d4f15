import Chaos
import Testing

@Suite struct `A schedule of kills` {
    private func run(_ seed: UInt64, isUp: (String) -> Bool = { _ in true }) -> [(Int64, String)] {
        var schedule = KillSchedule(count: 30, seed: seed)
        let targets = ["hub", "orders", "bank"]
        var kills: [(Int64, String)] = []
        for progress in stride(from: Int64(0), through: KillSchedule.whole, by: 500) {
            while let name = schedule.next(at: progress, among: targets, isUp: isUp) {
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
        var schedule = KillSchedule(count: 3, seed: 1)
        #expect(schedule.next(at: KillSchedule.whole, among: ["hub"], isUp: { _ in false }) == nil)
        #expect(schedule.remainingCount == 3)
        #expect(schedule.next(at: KillSchedule.whole, among: ["hub"], isUp: { _ in true }) == "hub")
    }
    @Test func `kills instances that were added after the start`() {
        var schedule = KillSchedule(count: 30, seed: 3)
        var killed: Set<String> = []
        for progress in stride(from: Int64(0), through: KillSchedule.whole, by: 500) {
            let isLate = progress > KillSchedule.whole / 3
            let targets = isLate ? ["orders", "orders-2"] : ["orders"]
            while let name = schedule.next(at: progress, among: targets, isUp: { _ in true }) {
                killed.insert(name)
            }
        }
        #expect(killed == ["orders", "orders-2"])
    }
}
