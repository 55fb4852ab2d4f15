import Mesh
import Testing

@testable import RealWorld

@Test func `a full disk is told once, whoever finds it, and its end once with the time it took`() {
    var watch = DiskWatch()
    func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }
    let found = [
        ("hub", false), ("hub", true), ("shoppers", true), ("hub", true), ("hub", false),
        ("shoppers", false), ("shoppers", false), ("hub", true),
    ]
    let told = found.enumerated().map { second, who in
        watch.found(who.0, full: who.1, now: at(Int64(second)))
    }
    let over = DiskWatch.Change.hasRoom(after: .seconds(4))
    #expect(told == [nil, .becameFull, nil, nil, nil, over, nil, .becameFull])
}
