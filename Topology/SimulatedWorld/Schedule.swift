import Chaos
import Mesh

/// Decides which of the things that could happen next does happen.
protocol Schedule {
    /// A process that takes part from now on has that number, from 1 ascending.
    mutating func joined(_ process: Int)
    /// Returns what the agenda's next entry is drawn by, where several have the same instant.
    mutating func order() -> UInt64
    /// Takes the next entry out of the agenda, or returns nil where none is due by `end`.
    mutating func next(of agenda: inout Agenda, now: Instant, until end: Instant) -> AgendaEntry?
    /// Returns which of several runnable jobs goes next.
    mutating func choose(among jobs: Int) -> Int
}

/// Everything happens when it is due; what is due at the same instant, in a random order.
struct RandomSchedule: Schedule {
    private var random: SeededRandom

    init(_ random: SeededRandom) {
        self.random = random
    }

    mutating func joined(_ process: Int) {}
    mutating func order() -> UInt64 { self.random.next() }
    mutating func choose(among jobs: Int) -> Int { self.random.below(jobs) }

    mutating func next(of agenda: inout Agenda, now: Instant, until end: Instant) -> AgendaEntry? {
        guard let first = agenda.first, first.due <= end else { return nil }
        return agenda.popFirst()
    }
}

/// Processes have priorities, drawn at random, and the highest with something to do soon goes next.
///
/// The lowest gets its turn only when no other has anything to do; at a few drawn moments the one
/// whose turn it is becomes the lowest. This is probabilistic concurrency testing (Burckhardt et
/// al., 2010), for messages: what a process was sent is late for as long as higher ones are busy,
/// and never early. Each direction of a link is a process of its own, and keeps its order.
struct PrioritySchedule: Schedule {
    /// How late something may be at the most.
    private static let latenessMax = Duration.seconds(1)

    private var random: SeededRandom
    private var priorities: [UInt64] = [.max]
    /// What could happen now: the first entry of each process that has any, in no order.
    private var ready: [AgendaEntry] = []
    /// For each process, what could happen after that, in the order in which it was due.
    private var behind = [Waiting<AgendaEntry>()]
    private var isReady = [false]
    /// How far ahead of others a process may get.
    private let lead: Duration
    /// The steps at which a priority changes, the next one last.
    private var changes: [Int] = []
    private var step = 0

    /// Creates the schedule of a run of about `steps` steps.
    init(_ random: SeededRandom, steps: Int) {
        self.random = random
        let changes = 1 + self.random.below(6)
        let leads = [Duration.microseconds(200), .milliseconds(2), .milliseconds(20)]
        self.lead = leads[self.random.below(leads.count)]
        for _ in 0..<changes { self.changes.append(1 + self.random.below(max(1, steps))) }
        self.changes.sort(by: >)
    }

    mutating func joined(_ process: Int) {
        // Lower numbers are left for those whose priority changes.
        self.priorities.append(self.random.next() | 1 << 32)
        self.behind.append(Waiting())
        self.isReady.append(false)
    }

    mutating func order() -> UInt64 { self.random.next() }
    mutating func choose(among jobs: Int) -> Int { self.random.below(jobs) }

    mutating func next(of agenda: inout Agenda, now: Instant, until end: Instant) -> AgendaEntry? {
        // What happens in nobody's name, such as a fault, happens when it is due.
        if let first = agenda.first, first.process == 0, first.due <= now {
            return agenda.popFirst()
        }
        let horizon = min(end, (self.ready.isEmpty ? agenda.first?.due ?? end : now) + self.lead)
        while let first = agenda.first, first.due <= horizon {
            if first.process == 0 {
                if self.ready.isEmpty { return agenda.popFirst() }
                break
            }
            guard let entry = agenda.popFirst() else { break }
            self.add(entry)
        }
        guard !self.ready.isEmpty else { return nil }
        let chosen = self.take(self.choose(now))
        self.step += 1
        if let change = self.changes.last, self.step >= change {
            self.changes.removeLast()
            self.priorities[chosen.process] = UInt64(self.changes.count)
        }
        return chosen
    }

    private mutating func add(_ entry: AgendaEntry) {
        if self.isReady[entry.process] { return self.behind[entry.process].append(entry) }
        self.isReady[entry.process] = true
        self.ready.append(entry)
    }

    private mutating func take(_ index: Int) -> AgendaEntry {
        let entry = self.ready[index]
        if self.behind[entry.process].isEmpty {
            self.isReady[entry.process] = false
            self.ready.swapAt(index, self.ready.count - 1)
            self.ready.removeLast()
        } else {
            self.ready[index] = self.behind[entry.process].takeFirst()
        }
        return entry
    }

    /// The process of the highest priority with something to do, or one that has waited too long.
    private func choose(_ now: Instant) -> Int {
        var best = 0
        var oldest = 0
        for index in self.ready.indices.dropFirst() {
            let entry = self.ready[index]
            let (rank, rival) = (self.priority(of: entry), self.priority(of: self.ready[best]))
            if rank > rival || rank == rival && entry.process < self.ready[best].process {
                best = index
            }
            let (due, least) = (entry.due, self.ready[oldest].due)
            if due < least || due == least && entry.process < self.ready[oldest].process {
                oldest = index
            }
        }
        return now - self.ready[oldest].due > Self.latenessMax ? oldest : best
    }

    private func priority(of entry: AgendaEntry) -> UInt64 { self.priorities[entry.process] }
}

extension Scenario.Strategy {
    /// Returns the schedule of one run of about `steps` steps.
    func schedule(_ random: SeededRandom, steps: Int) -> any Schedule {
        switch self {
        case .random: RandomSchedule(random)
        case .pct: PrioritySchedule(random, steps: steps)
        }
    }
}
