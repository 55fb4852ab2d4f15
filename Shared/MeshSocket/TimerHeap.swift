import Mesh

/// A timer that is armed on a loop; stays harmless after it fired.
package struct TimerID: Sendable, Hashable {
    fileprivate var slot: Int
    fileprivate var generation: UInt64
}

/// The armed timers of a loop, the next one first; timers of the same instant in arming order.
struct TimerHeap {
    private struct Slot {
        /// The generation of the timer that holds the slot.
        var generation: UInt64
        /// Where in the heap the timer stands; -1 while the slot is free.
        var index: Int
        var at: Instant
        var action: (() -> Void)?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    /// Slot numbers, ordered as a binary heap.
    private var heap: [Int] = []
    private var lastGeneration: UInt64 = 0

    var next: Instant? { self.heap.first.map { self.slots[$0].at } }

    var count: Int { self.heap.count }

    mutating func arm(at: Instant, _ action: @escaping () -> Void) -> TimerID {
        self.lastGeneration += 1
        let number: Int
        let slot = Slot(
            generation: self.lastGeneration,
            index: self.heap.count,
            at: at,
            action: action
        )
        if let reused = self.free.popLast() {
            number = reused
            self.slots[number] = slot
        } else {
            number = self.slots.count
            self.slots.append(slot)
        }
        self.heap.append(number)
        self.rise(from: self.heap.count - 1)
        return TimerID(slot: number, generation: self.lastGeneration)
    }

    mutating func cancel(_ timer: TimerID) {
        guard self.slots.indices.contains(timer.slot) else { return }
        let slot = self.slots[timer.slot]
        guard slot.generation == timer.generation, slot.index >= 0 else { return }
        self.remove(at: slot.index)
    }

    /// Takes the action of the next timer if it is due and no younger than `generation`.
    ///
    /// The bound keeps a timer that is armed again by its own action from starving the rest.
    mutating func takeDue(at now: Instant, armedUpTo generation: UInt64) -> (() -> Void)? {
        guard let first = self.heap.first else { return nil }
        let slot = self.slots[first]
        guard slot.at <= now, slot.generation <= generation else { return nil }
        self.remove(at: 0)
        return slot.action
    }

    /// The generation of the timer that was armed last.
    var generation: UInt64 { self.lastGeneration }

    private mutating func remove(at index: Int) {
        let number = self.heap[index]
        let last = self.heap.count - 1
        if index != last { self.exchange(index, last) }
        self.heap.removeLast()
        self.slots[number].index = -1
        self.slots[number].action = nil
        self.free.append(number)
        guard index < self.heap.count else { return }
        self.rise(from: index)
        self.sink(from: index)
    }

    private func comesBefore(_ left: Int, _ right: Int) -> Bool {
        let (first, second) = (self.heap[left], self.heap[right])
        if self.slots[first].at != self.slots[second].at {
            return self.slots[first].at < self.slots[second].at
        }
        return self.slots[first].generation < self.slots[second].generation
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        self.heap.swapAt(left, right)
        self.slots[self.heap[left]].index = left
        self.slots[self.heap[right]].index = right
    }

    private mutating func rise(from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard self.comesBefore(index, parent) else { return }
            self.exchange(index, parent)
            index = parent
        }
    }

    private mutating func sink(from start: Int) {
        var index = start
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < self.heap.count && self.comesBefore(child, smallest) {
                smallest = child
            }
            guard smallest != index else { return }
            self.exchange(index, smallest)
            index = smallest
        }
    }
}
