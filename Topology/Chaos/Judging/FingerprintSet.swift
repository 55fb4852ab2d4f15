/// A set of 64-bit hashes: what it holds is already mixed, so it does not hash again.
///
/// A set of millions lies all over the memory, and to look for one hash there costs more than all
/// else that is judged of an event. So most new hashes are known by marks that are an eighth as
/// large, wait, and go to their places many at once.
struct FingerprintSet: Sendable {
    private var slots = [UInt64](repeating: 0, count: 1024)
    private var slotsUsed = 0
    /// Two bits of one word for each hash; that of one which is missing may be set by others.
    private var marks = [UInt64](repeating: 0, count: 1024 / Self.slotsPerMark)
    /// Those that are marked and have no slot yet.
    private var waiting: [UInt64] = []
    /// What the slots of the waiting ones have held, so that it is not left out to read them.
    private var touched: UInt64 = 0

    private static let slotsPerMark = 8
    private static let waitingMax = 256

    /// How many hashes there are.
    var count: Int { self.slotsUsed + self.waiting.count }

    /// Adds a fingerprint; returns whether it was new.
    mutating func insert(_ fingerprint: UInt64) -> Bool {
        let fingerprint = fingerprint == 0 ? 1 : fingerprint
        if self.mark(fingerprint) {
            self.waiting.append(fingerprint)
            if self.waiting.count == Self.waitingMax { self.settle() }
            return true
        }
        self.settle()
        if self.isFull(with: 1) { self.grow() }
        return self.place(fingerprint)
    }

    /// Sets the marks of a hash; returns whether one was missing, as for most new ones.
    private mutating func mark(_ fingerprint: UInt64) -> Bool {
        // In the order of the slots, so that a set that grows goes through both from end to end.
        let word = self.slot(of: fingerprint) / Self.slotsPerMark
        let bits: UInt64 = 1 << (fingerprint & 63) | 1 << (fingerprint >> 6 & 63)
        if self.marks[word] & bits == bits { return false }
        self.marks[word] |= bits
        return true
    }

    /// Gives slots to those that wait.
    private mutating func settle() {
        if self.waiting.isEmpty { return }
        if self.isFull(with: self.waiting.count) { self.grow() }
        // The memory answers faster when it is asked for all of them at once.
        for fingerprint in self.waiting {
            self.touched ^= self.slots[self.slot(of: fingerprint)]
        }
        for fingerprint in self.waiting { _ = self.place(fingerprint) }
        self.waiting.removeAll(keepingCapacity: true)
    }

    private mutating func place(_ fingerprint: UInt64) -> Bool {
        var index = self.slot(of: fingerprint)
        while self.slots[index] != 0 {
            if self.slots[index] == fingerprint { return false }
            index = (index + 1) & (self.slots.count - 1)
        }
        self.slots[index] = fingerprint
        self.slotsUsed += 1
        return true
    }

    /// The first slot that may have a hash; the bits below choose the marks.
    private func slot(of fingerprint: UInt64) -> Int {
        Int(truncatingIfNeeded: fingerprint >> 12) & (self.slots.count - 1)
    }

    private func isFull(with more: Int) -> Bool {
        (self.slotsUsed + more) * 4 >= self.slots.count * 3
    }

    private mutating func grow() {
        let old = self.slots
        let count = old.count * 2
        self.slots = [UInt64](repeating: 0, count: count)
        self.slotsUsed = 0
        self.marks = [UInt64](repeating: 0, count: count / Self.slotsPerMark)
        for fingerprint in old where fingerprint != 0 {
            _ = self.place(fingerprint)
            _ = self.mark(fingerprint)
        }
        for fingerprint in self.waiting { _ = self.mark(fingerprint) }
    }
}
