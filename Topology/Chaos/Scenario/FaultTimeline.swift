import Mesh

/// Decides when the faults of a scenario begin and end, and when its operations are done.
///
/// Pure: it is told when the run started, which events have become durable and that time has
/// passed, and returns what must be done now. Both worlds run scenarios by it, so that a trigger
/// means the same in both. What is due at one instant comes in one step: first what ends, then
/// what begins, then the operations.
///
/// A fault that waits for what it bites lasts from when it is surely armed, and on until it, with
/// the others of its part, has bitten as often as it says, or its longest time is over. A run in
/// which all is at rest need not wait for it.
package struct FaultTimeline: Sendable {
    package enum Action: Sendable, Hashable {
        /// These faults begin, all at once.
        case begin([Int])
        /// These faults are over and heal; comes only for those that ``begin(_:)`` named, and
        /// never for one that does not last.
        case end([Int])
        /// This operation is to be done.
        case perform(Int)
    }

    /// What happens at an instant; in the order in which it happens there.
    private enum Deed: Int, Sendable { case end, begin, perform }

    private struct Entry: Sendable {
        var due: Instant
        var deed: Deed
        var index: Int

        func precedes(_ other: Entry) -> Bool {
            if self.due != other.due { return self.due < other.due }
            return (self.deed.rawValue, self.index) < (other.deed.rawValue, other.index)
        }
    }

    /// What waits until the last of so many events has happened.
    private struct Awaited: Sendable {
        var type: String
        var source: String
        var left: Int
        var delay: Duration
        var deed: Deed
        var index: Int
    }

    /// A fault that has begun.
    private struct Course: Sendable {
        var began: Instant?
        /// When it was armed; nil while nobody has said so.
        var armed: Instant?
        var ended: Instant?
    }

    private let faults: [Fault]
    private let triggers: [(Fault.Trigger, Deed, Int)]
    /// What is to come, the next at the end.
    private var entries: [Entry] = [] {
        didSet { self.nextDue = self.entries.last?.due }
    }
    /// A few, so that looking is faster than hashing.
    private var awaited: [Awaited] = []
    private var courses: [Course]
    /// How many faults have begun and are still to end.
    private var activeCount = 0
    /// How many faults and operations have a time to begin.
    private var comingCount = 0
    private var isStarted = false

    /// How long it may take until a fault is armed before its time counts all the same.
    private static let armingTime = Duration.seconds(10)
    /// How often a fault that waits for bites is looked at.
    private static let lookInterval = Duration.milliseconds(20)

    package init(faults: [Fault], operations: [Operation] = []) {
        self.faults = faults
        self.courses = [Course](repeating: Course(), count: faults.count)
        self.triggers =
            faults.enumerated().map { ($1.trigger, .begin, $0) }
            + operations.enumerated().map { ($1.trigger, .perform, $0) }
    }

    // MARK: What is

    /// When ``timePassed(now:)`` must be called next; nil where nothing waits for time.
    package private(set) var nextDue: Instant?

    /// Whether it has to be told of events.
    package var awaitsEvents: Bool { !self.awaited.isEmpty }

    /// Whether no fault that has begun is still to end.
    package var isHealed: Bool { self.activeCount == 0 }

    /// Whether everything has begun that a time says; what waits for an event may never come.
    package var hasBegunAll: Bool { self.isStarted && self.comingCount == 0 }

    /// The faults whose time is over and that go on because they have not bitten enough.
    package func waitingForBites(now: Instant) -> [Int] {
        self.faults.indices.filter { index in
            guard self.faults[index].untilBitten > 0, self.courses[index].ended == nil,
                let armed = self.courses[index].armed
            else { return false }
            return armed + self.faults[index].duration <= now
        }
    }

    /// Whether all that is left are faults that wait for something to bite.
    ///
    /// Where everything is at rest by then, nothing will come.
    package func onlyWaits(now: Instant) -> Bool {
        self.hasBegunAll && self.waitingForBites(now: now).count == self.activeCount
    }

    /// When a fault began and ended; nil where it did not.
    package func span(of fault: Int) -> (began: Instant?, ended: Instant?) {
        (self.courses[fault].began, self.courses[fault].ended)
    }

    // MARK: What happened

    /// The run starts: the load begins now.
    package mutating func started(now: Instant) -> [Action] {
        precondition(!self.isStarted, "a run starts once")
        self.isStarted = true
        for (trigger, deed, index) in self.triggers {
            switch trigger {
            case .at(let time):
                self.add(Entry(due: now + time, deed: deed, index: index))
            case .after(let event, let delay):
                self.awaited.append(
                    Awaited(
                        type: event.type,
                        source: event.source,
                        left: event.number,
                        delay: delay,
                        deed: deed,
                        index: index
                    )
                )
            }
        }
        return self.timePassed(now: now)
    }

    /// These faults are surely in force now; the time of those that were not counts from here.
    package mutating func armed(_ indices: [Int], now: Instant) {
        for index in indices
        where self.courses[index].began != nil && self.courses[index].armed == nil {
            self.courses[index].armed = now
            guard self.courses[index].ended == nil,
                let place = self.entries.firstIndex(where: { $0.deed == .end && $0.index == index })
            else { continue }
            self.entries.remove(at: place)
            self.add(Entry(due: now + self.faults[index].duration, deed: .end, index: index))
        }
    }

    /// An event has become durable; to be called once for each, in their order.
    package mutating func happened(
        _ type: String,
        from source: String,
        now: Instant,
        bitten: () -> [Int] = { [] }
    ) -> [Action] {
        var isDone = false
        for number in self.awaited.indices
        where self.awaited[number].type == type && self.awaited[number].source == source {
            self.awaited[number].left -= 1
            guard self.awaited[number].left == 0 else { continue }
            isDone = true
            self.add(
                Entry(
                    due: now + self.awaited[number].delay,
                    deed: self.awaited[number].deed,
                    index: self.awaited[number].index
                )
            )
        }
        guard isDone else { return [] }
        self.awaited.removeAll { $0.left == 0 }
        return self.timePassed(now: now, bitten: bitten)
    }

    /// Returns what is due; `bitten` says how often each fault has bitten, where that matters.
    package mutating func timePassed(
        now: Instant,
        bitten: () -> [Int] = { [] }
    ) -> [Action] {
        var actions: [Action] = []
        while let due = self.entries.last?.due, due <= now {
            let ended = self.over(self.take(.end, due), now, bitten)
            self.activeCount -= ended.count
            for index in ended { self.courses[index].ended = now }
            if !ended.isEmpty { actions.append(.end(ended)) }
            let begun = self.take(.begin, due)
            self.comingCount -= begun.count
            if !begun.isEmpty { actions.append(.begin(begun)) }
            for index in begun { self.begin(index, now: now) }
            let operations = self.take(.perform, due)
            self.comingCount -= operations.count
            actions += operations.map { .perform($0) }
        }
        return actions
    }

    private mutating func begin(_ index: Int, now: Instant) {
        let fault = self.faults[index]
        self.courses[index].began = now
        guard fault.lasts else { return }
        self.activeCount += 1
        // From now on, not from when it should have begun: it lasts as long as was said.
        var end = now + fault.duration
        if fault.kind.waitsForBites {
            end = end + Self.armingTime
        } else {
            self.courses[index].armed = now
        }
        self.add(Entry(due: end, deed: .end, index: index))
    }

    /// Returns those of faults that are over; the others are looked at again later.
    private mutating func over(
        _ due: [Int],
        _ now: Instant,
        _ bitten: () -> [Int]
    ) -> [Int] {
        guard due.contains(where: { self.faults[$0].untilBitten > 0 }) else { return due }
        let counts = bitten()
        return due.filter { index in
            let fault = self.faults[index]
            guard fault.untilBitten > 0, let armed = self.courses[index].armed else { return true }
            let last = armed + fault.longest
            guard last > now, self.bites(of: index, in: counts) < fault.untilBitten else {
                return true
            }
            let next = min(now + Self.lookInterval, last)
            self.add(Entry(due: next, deed: .end, index: index))
            return false
        }
    }

    /// How often a fault and the others of its part have bitten.
    private func bites(of index: Int, in counts: [Int]) -> Int {
        guard let part = self.faults[index].part else {
            return counts.indices.contains(index) ? counts[index] : 0
        }
        return counts.indices.reduce(0) { sum, other in
            self.faults[other].part == part ? sum + counts[other] : sum
        }
    }

    private mutating func take(_ deed: Deed, _ due: Instant) -> [Int] {
        var indices: [Int] = []
        while let entry = self.entries.last, entry.due == due, entry.deed == deed {
            indices.append(entry.index)
            self.entries.removeLast()
        }
        return indices
    }

    private mutating func add(_ entry: Entry) {
        if entry.deed != .end { self.comingCount += 1 }
        var (low, high) = (0, self.entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entry.precedes(self.entries[middle]) { low = middle + 1 } else { high = middle }
        }
        self.entries.insert(entry, at: low)
    }
}
