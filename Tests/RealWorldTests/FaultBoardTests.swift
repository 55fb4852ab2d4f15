import Mesh
import Testing

@testable import RealWorld

@Suite struct `The board of faults` {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test func `says when the next fault heals and which ones are due`() {
        var board = FaultBoard()
        #expect(board.nextEnd == nil)
        board.arm(.cut(from: "a", to: "b"), for: nil, now: self.start)
        board.arm(.paused(process: "p"), for: .seconds(3), now: self.start)
        board.arm(.party("bank", .down), for: .seconds(2), now: self.start)
        #expect(board.nextEnd == self.start + .seconds(2))
        #expect(board.due(now: self.start + .seconds(1)).isEmpty)
        #expect(board.due(now: self.start + .seconds(2)) == [.party("bank", .down)])
        board.healed(.party("bank", .down))
        #expect(board.nextEnd == self.start + .seconds(3))
    }

    @Test func `replaces a fault of the same target and kind, and no other`() {
        var board = FaultBoard()
        board.arm(.slow(service: "a", by: .seconds(1)), for: nil, now: self.start)
        board.arm(.slow(service: "b", by: .seconds(1)), for: nil, now: self.start)
        board.arm(.slow(service: "a", by: .seconds(2)), for: nil, now: self.start)
        board.arm(.load("×2"), for: nil, now: self.start)
        board.arm(.load("50/s"), for: nil, now: self.start)
        #expect(
            board.armed.map(\.fault) == [
                .slow(service: "b", by: .seconds(1)), .slow(service: "a", by: .seconds(2)),
                .load("50/s"),
            ]
        )
    }

    @Test func `keeps the highest count and shows what is left`() {
        var board = FaultBoard()
        let cut = FaultBoard.Fault.cut(from: "a", to: "b")
        board.arm(cut, for: .seconds(4), now: self.start)
        board.bit(cut, count: 5)
        board.bit(cut, count: 3)
        #expect(
            board.status(now: self.start + .seconds(1)) == [
                TopologyStatus.Fault(text: "cut a→b", bitten: 5, remaining: .seconds(3))
            ]
        )
        #expect(board.healed(cut)?.bitten == 5)
        #expect(board.healed(cut) == nil)
    }
}

@Suite struct `The timing report` {
    @Test func `pairs each kill with its return and gives the medians`() {
        var report = TimingReport()
        report.ready = .microseconds(27_300)
        for (noticed, serving) in [(1, 10), (2, 30), (3, 20)] {
            report.noticed("orders", after: .milliseconds(noticed))
            report.serves("orders", after: .milliseconds(serving))
        }
        // A start that no kill came before is not the return of an earlier kill.
        report.serves("orders", after: .milliseconds(99))
        #expect(
            report.lines == [
                "timing",
                "  all ready after 27.30 ms",
                "  orders killed: noticed after 1.00 ms, serving again after 10.00 ms",
                "  orders killed: noticed after 2.00 ms, serving again after 30.00 ms",
                "  orders killed: noticed after 3.00 ms, serving again after 20.00 ms",
                "  median of 3 kills: noticed 2.00 ms, serving 20.00 ms",
            ]
        )
        #expect(report.json["servingMedianNanoseconds"]?.int == 20_000_000)
    }
}
