/// Instants at which something is due, earliest first; equal ones in the order they were added.
struct Deadlines<Item> {
    private var heap: [(due: Instant, order: UInt64, item: Item)] = []
    private var order: UInt64 = 0

    /// The earliest instant, or nil where nothing is due ever.
    var next: Instant? {
        // In its place, as below: a copy of an entry counts references to what is in its item.
        self.heap.isEmpty ? nil : self.heap[0].due
    }

    mutating func add(_ item: Item, due: Instant) {
        self.order += 1
        self.heap.append((due, self.order, item))
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.precedes(child, parent) else { break }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    /// How many items wait.
    var count: Int { self.heap.count }

    /// Forgets the items that are not to be kept.
    ///
    /// - Complexity: O(*n* log *n*).
    mutating func keep(where isKept: (Item) -> Bool) {
        // A sorted list is a heap.
        self.heap = self.heap.filter { isKept($0.item) }
            .sorted { ($0.due, $0.order) < ($1.due, $1.order) }
    }

    /// Removes and returns the earliest item that is due at `now`.
    mutating func pop(dueAt now: Instant) -> Item? {
        guard let next = self.next, next <= now else { return nil }
        self.heap.swapAt(0, self.heap.count - 1)
        let first = self.heap.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in 2 * parent + 1...2 * parent + 2
            where child < self.heap.count && self.precedes(child, smallest) {
                smallest = child
            }
            if smallest == parent { break }
            self.heap.swapAt(parent, smallest)
            parent = smallest
        }
        return first.item
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        if self.heap[left].due != self.heap[right].due {
            return self.heap[left].due < self.heap[right].due
        }
        return self.heap[left].order < self.heap[right].order
    }
}
