import Mesh

/// Decides when the faults of a scenario begin and end, and when its operations are done.
///
/// Pure: it is told when the run started, which events have become durable and that time has
/// passed, and returns what must be done now. Both worlds run scenarios by it, so that a trigger
/// means the same in both. What is due at one instant comes in one step: first what ends, then
/// what begins, then the operations.
package struct FaultTimeline: Sendable {
    package enum Action: Sendable, Hashable {
        /// These faults begin, all at once.
        case begin([Int])
        /// These faults are over and heal; comes only for those that ``begin(_:)`` named, and
        /// never for one without a duration.
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

    private let durations: [Duration]
    private let triggers: [(Fault.Trigger, Deed, Int)]
    /// What is to come, the next at the end.
    private var entries: [Entry] = []
    /// A few, so that looking is faster than hashing.
    private var awaited: [Awaited] = []
    /// How many faults have begun and are still to end.
    private var activeCount = 0
    /// How many faults and operations have a time to begin.
    private var comingCount = 0
    private var isStarted = false

    package init(faults: [Fault], operations: [Operation] = []) {
        self.durations = faults.map(\.duration)
        self.triggers =
            faults.enumerated().map { ($1.trigger, .begin, $0) }
            + operations.enumerated().map { ($1.trigger, .perform, $0) }
    }

    // MARK: What is

    /// When ``timePassed(now:)`` must be called next; nil where nothing waits for time.
    package var nextDue: Instant? { self.entries.last?.due }

    /// Whether it has to be told of events.
    package var awaitsEvents: Bool { !self.awaited.isEmpty }

    /// Whether no fault that has begun is still to end.
    package var isHealed: Bool { self.activeCount == 0 }

    /// Whether everything has begun that a time says; what waits for an event may never come.
    package var hasBegunAll: Bool { self.isStarted && self.comingCount == 0 }

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

    /// An event has become durable; to be called once for each, in their order.
    package mutating func happened(
        _ type: String,
        from source: String,
        now: Instant
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
        return self.timePassed(now: now)
    }

    /// Returns what is due.
    package mutating func timePassed(now: Instant) -> [Action] {
        var actions: [Action] = []
        while let due = self.entries.last?.due, due <= now {
            let ended = self.take(.end, due)
            self.activeCount -= ended.count
            if !ended.isEmpty { actions.append(.end(ended)) }
            let begun = self.take(.begin, due)
            self.comingCount -= begun.count
            if !begun.isEmpty { actions.append(.begin(begun)) }
            for index in begun where self.durations[index] > .zero {
                self.activeCount += 1
                // From now on, not from when it should have begun: it lasts as long as was said.
                let end = max(due, now) + self.durations[index]
                self.add(Entry(due: end, deed: .end, index: index))
            }
            let operations = self.take(.perform, due)
            self.comingCount -= operations.count
            actions += operations.map { .perform($0) }
        }
        return actions
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
