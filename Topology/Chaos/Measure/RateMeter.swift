import Mesh

/// Counts what happened in the last seconds, in a ring of tenths of a second.
package struct RateMeter: Sendable, Hashable {
    private static let slotNanoseconds: Int64 = 100_000_000
    private static let slotCount = 64
    private var slots = [UInt32](repeating: 0, count: Self.slotCount)
    private var newest: Int64 = .min
    private var oldestEver: Int64 = .max

    package init() {}

    /// Counts `count` things at an instant; one that lies too far back is left out.
    package mutating func happened(_ count: Int = 1, at time: Instant) {
        let slot = Self.slot(of: time)
        if self.newest == .min {
            self.newest = slot
            self.oldestEver = slot
        }
        if slot > self.newest { self.turn(to: slot) }
        guard self.newest - slot < Int64(Self.slotCount) else { return }
        self.slots[Self.position(of: slot)] &+= UInt32(clamping: count)
    }

    /// Returns how many things a second happened in the last full `seconds` (1 to 6) before `now`.
    package func perSecond(now: Instant, over seconds: Int = 1) -> Int {
        guard self.newest != .min else { return 0 }
        let window = Int64(min(max(seconds, 1), 6)) * 10
        let end = Self.slot(of: now)
        let first = max(end - window, self.newest - Int64(Self.slotCount) + 1)
        var sum = 0
        var slot = first
        while slot < end, slot <= self.newest {
            sum += Int(self.slots[Self.position(of: slot)])
            slot += 1
        }
        let span = min(window, max(1, end - self.oldestEver))
        return sum * 10 / Int(span)
    }

    private mutating func turn(to slot: Int64) {
        let steps = min(slot - self.newest, Int64(Self.slotCount))
        for step in 0..<steps {
            self.slots[Self.position(of: slot - step)] = 0
        }
        self.newest = slot
    }

    private static func slot(of time: Instant) -> Int64 { time.nanoseconds / self.slotNanoseconds }

    private static func position(of slot: Int64) -> Int {
        let remainder = Int(slot % Int64(self.slotCount))
        return remainder < 0 ? remainder + self.slotCount : remainder
    }
}
