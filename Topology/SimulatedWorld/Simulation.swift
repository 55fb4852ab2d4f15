import Mesh

/// One thread, virtual time and a seed: everything that happens in a simulated run happens here.
///
/// Time stands still while anything is runnable, then jumps to the next instant at which something
/// is due. What happens at the same instant, and which runnable job goes next, the seed decides.
/// Use one from one thread at a time; several live side by side on several threads.
package final class Simulation {
    /// The virtual time.
    package private(set) var now: Instant
    /// Changes with everything that happens: equal hashes mean equal runs.
    package private(set) var hash: UInt64
    /// How many messages, timers and jobs were taken so far.
    package private(set) var stepCount = 0
    /// How many messages arrived somewhere.
    package internal(set) var messageCount = 0

    let executor: SimulatedExecutor
    /// Who wants to know at which places faults could be put.
    var survey: PlaceSurvey?
    private var random: SeededRandom
    private let seed: UInt64
    private var agenda = Agenda()

    /// Creates a run whose whole course `seed` determines.
    package init(seed: UInt64, start: Instant = Instant(nanoseconds: 1_700_000_000_000_000_000)) {
        self.seed = seed
        self.now = start
        self.hash = seed
        self.random = SeededRandom(seed: seed).split("schedule")
        self.executor = SimulatedExecutor()
    }

    /// Returns the source of chance for one purpose; drawing from it disturbs no other.
    package func random(for purpose: String) -> SeededRandom {
        SeededRandom(seed: self.seed).split(purpose)
    }

    /// Does `action` once `delay` has passed.
    package func after(_ delay: Duration, _ action: @escaping () -> Void) {
        self.agenda.add(due: self.now + delay, order: self.random.next(), action)
    }

    /// Does `action` at `instant`, behind everything that was put there before.
    func at(_ instant: Instant, _ action: @escaping () -> Void) {
        self.agenda.add(due: max(instant, self.now), order: .max, action)
    }

    /// Does `action` at `instant`, before or after everything else that happens then.
    ///
    /// Nothing that happens before that is any different for it.
    func exactly(at instant: Instant, isAfter: Bool, _ action: @escaping () -> Void) {
        self.agenda.add(due: instant, order: isAfter ? .max : 0, action)
    }

    /// Folds what has happened into the run's hash.
    func note(_ bytes: UnsafeRawBufferPointer, _ who: UInt64) {
        self.hash = StableHash.of(
            bytes,
            seed: StableHash.combine(self.hash ^ who, UInt64(bitPattern: self.now.nanoseconds))
        )
    }

    /// Runs until `isOver` says so, nothing is left to happen, or `limit` of virtual time is over.
    ///
    /// - Returns: whether `isOver` became true.
    @discardableResult
    package func run(within limit: Duration, until isOver: () -> Bool) -> Bool {
        let end = self.now + limit
        self.runJobs()
        while !isOver() {
            guard let due = self.agenda.nextDue, due <= end else {
                self.now = min(end, self.agenda.nextDue ?? end)
                return false
            }
            self.now = max(self.now, due)
            guard let action = self.agenda.pop() else { return false }
            self.stepCount += 1
            action()
            self.runJobs()
        }
        return true
    }

    private func runJobs() {
        while let job = self.executor.take(using: &self.random) {
            self.stepCount += 1
            job.runSynchronously(on: self.executor.asUnownedSerialExecutor())
        }
    }
}

/// What is to happen, by instant; at the same instant in the seed's order.
struct Agenda {
    private struct Entry {
        var due: Instant
        var order: UInt64
        var number: UInt64
        var action: () -> Void
    }

    private var heap: [Entry] = []
    private var count: UInt64 = 0

    var nextDue: Instant? { self.heap.first?.due }

    mutating func add(due: Instant, order: UInt64, _ action: @escaping () -> Void) {
        self.count += 1
        self.heap.append(Entry(due: due, order: order, number: self.count, action: action))
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.precedes(child, parent) else { break }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> (() -> Void)? {
        guard let first = self.heap.first else { return nil }
        let last = self.heap.removeLast()
        guard !self.heap.isEmpty else { return first.action }
        self.heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.heap.count && self.precedes(child, smallest) {
                smallest = child
            }
            if smallest == parent { return first.action }
            self.heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        // Field by field: copying an entry would count a reference to its action.
        if self.heap[left].due != self.heap[right].due {
            return self.heap[left].due < self.heap[right].due
        }
        if self.heap[left].order != self.heap[right].order {
            return self.heap[left].order < self.heap[right].order
        }
        return self.heap[left].number < self.heap[right].number
    }
}

/// The executor of every simulated actor: a queue that the simulation empties by hand.
final class SimulatedExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Confined to the thread that drives the simulation.
    private var jobs: [UnownedJob] = []

    func enqueue(_ job: consuming ExecutorJob) {
        self.jobs.append(UnownedJob(job))
    }

    /// Takes one of the runnable jobs; which one, the seed decides.
    func take(using random: inout SeededRandom) -> UnownedJob? {
        guard !self.jobs.isEmpty else { return nil }
        return self.jobs.remove(at: self.jobs.count == 1 ? 0 : random.below(self.jobs.count))
    }

    func checkIsolated() {}
}
