import Mesh

/// Something that is to happen: when, and in whose name.
struct AgendaEntry {
    var due: Instant
    /// Decides between entries of the same instant.
    var order: UInt64
    /// Ascends with each entry; decides between equal orders.
    var number: UInt64
    /// Who does it; see ``Simulation/process(_:)``.
    var process: Int
    /// Where its action is kept.
    var slot: Int

    static func precedes(_ left: AgendaEntry, _ right: AgendaEntry) -> Bool {
        if left.due != right.due { return left.due < right.due }
        if left.order != right.order { return left.order < right.order }
        return left.number < right.number
    }
}

/// What an entry does, in a type of its own: a bare function in an array is wrapped each time.
struct AgendaAction {
    let run: () -> Void
}

/// What is to happen, by instant; at the same instant in the seed's order.
///
/// The entries are plain numbers; their actions lie apart, so that sorting counts no references.
struct Agenda {
    private var heap: [AgendaEntry] = []
    private var actions: [AgendaAction?] = []
    private var freeSlots: [Int] = []
    private var count: UInt64 = 0

    /// The entry that comes first.
    var first: AgendaEntry? { self.heap.first }

    mutating func add(
        due: Instant,
        order: UInt64,
        process: Int,
        _ action: consuming @escaping () -> Void
    ) {
        self.count += 1
        let slot: Int
        if let free = self.freeSlots.popLast() {
            slot = free
            self.actions[slot] = AgendaAction(run: action)
        } else {
            slot = self.actions.count
            self.actions.append(AgendaAction(run: action))
        }
        let entry = AgendaEntry(
            due: due,
            order: order,
            number: self.count,
            process: process,
            slot: slot
        )
        self.heap.append(entry)
        self.heap.withUnsafeMutableBufferPointer { heap in
            var child = heap.count - 1
            while child > 0 {
                let parent = (child - 1) / 2
                guard AgendaEntry.precedes(entry, heap[parent]) else { break }
                heap[child] = heap[parent]
                child = parent
            }
            heap[child] = entry
        }
    }

    /// Removes and returns the entry that comes first; its action stays until it is taken.
    mutating func popFirst() -> AgendaEntry? {
        guard let first = self.heap.first, let last = self.heap.popLast() else { return nil }
        self.heap.withUnsafeMutableBufferPointer { heap in
            guard !heap.isEmpty else { return }
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, AgendaEntry.precedes(heap[child + 1], heap[child]) {
                    child += 1
                }
                guard AgendaEntry.precedes(heap[child], last) else { break }
                heap[parent] = heap[child]
                parent = child
            }
            heap[parent] = last
        }
        return first
    }

    /// Takes the action of an entry that was removed.
    mutating func takeAction(of entry: AgendaEntry) -> AgendaAction {
        var action: AgendaAction?
        swap(&action, &self.actions[entry.slot])
        guard let action else { preconditionFailure("entry \(entry.number) happens twice") }
        self.freeSlots.append(entry.slot)
        return action
    }
}
