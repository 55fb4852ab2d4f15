import Testing

@testable import Mesh

@Suite struct `The offsets that a client has seen` {
    /// Says for each offset whether it was accepted.
    private func accepted(_ offsets: [UInt64], by intake: inout Intake) -> [Bool] {
        offsets.map { intake.accepts($0) }
    }

    @Test func `are each accepted once, in whatever order they come`() {
        var intake = Intake(floor: 3)
        let given: [UInt64] = [2, 5, 5, 3, 3, 9, 4, 7, 6, 6, 7, 8, 4, 9, 10]
        let wanted = given.enumerated().map { index, offset in
            offset >= 3 && !given[..<index].contains(offset)
        }
        #expect(self.accepted(given, by: &intake) == wanted)
    }

    @Test func `are accepted again where they failed`() {
        var intake = Intake(floor: 0)
        #expect(self.accepted([0, 0], by: &intake) == [true, false])
        intake.awaits(0)
        #expect(self.accepted([0, 0], by: &intake) == [true, false])
    }

    @Test func `may leave out as many as there are numbers`() {
        var intake = Intake(floor: 0)
        let offsets: [UInt64] = [.max - 1, .max, 1 << 40, 1 << 40, 0]
        #expect(self.accepted(offsets, by: &intake) == [true, false, true, false, true])
    }
}
