/// A set of 64-bit hashes: what it holds is already mixed, so it does not hash again.
struct FingerprintSet: Sendable {
    private var slots = [UInt64](repeating: 0, count: 1024)
    private(set) var count = 0

    /// Adds a fingerprint; returns whether it was new.
    mutating func insert(_ fingerprint: UInt64) -> Bool {
        if self.count * 4 >= self.slots.count * 3 { self.grow() }
        return self.place(fingerprint == 0 ? 1 : fingerprint)
    }

    private mutating func place(_ fingerprint: UInt64) -> Bool {
        let mask = self.slots.count - 1
        var index = Int(truncatingIfNeeded: fingerprint) & mask
        while self.slots[index] != 0 {
            if self.slots[index] == fingerprint { return false }
            index = (index + 1) & mask
        }
        self.slots[index] = fingerprint
        self.count += 1
        return true
    }

    private mutating func grow() {
        let old = self.slots
        self.slots = [UInt64](repeating: 0, count: old.count * 2)
        self.count = 0
        for fingerprint in old where fingerprint != 0 { _ = self.place(fingerprint) }
    }
}
