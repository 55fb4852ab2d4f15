import Mesh

/// A timer fires once, and never before it is due.
package final class TimersFireOnce: Invariant {
    package let name = "timers-fire-once"
    package let promise = "timers fire once, never early, and none is forgotten"
    package let hears: Hearing = [.records, .timing]

    private struct Key: Hashable {
        var service: Int
        var partition: Int
        var name: String
    }

    private struct Timer {
        var due: Instant
        var event: EventID
        var position: UInt64
    }

    /// How long after its time a timer may still be on its way when the log ends.
    private let grace: Duration
    private let layout: MeshLayout
    private var pending: [Key: Timer] = [:]
    private var fired = 0
    private var isWhole = false

    package init(layout: MeshLayout, grace: Duration = .seconds(5)) {
        self.layout = layout
        self.grace = grace
    }

    package func recorded(_ record: RecordView) -> Finding? {
        switch record.body {
        case .opened:
            self.isWhole = true
            return nil

        case .timerFired(let service, let partition, let name):
            self.fired += 1
            let key = Key(service: service, partition: partition, name: name)
            return self.fired(key, record.events.first?.id ?? .none, record)

        default: return nil
        }
    }

    package func committed(_ record: RecordView) -> Finding? {
        let turn = record.turn
        for timer in turn.timersSet {
            let key = Key(service: turn.service, partition: turn.partition, name: timer.name)
            self.pending[key] = Timer(
                due: timer.due,
                event: timer.event,
                position: record.position
            )
        }
        for name in turn.timersCancelled {
            self.pending[Key(service: turn.service, partition: turn.partition, name: name)] =
                nil
        }
        return nil
    }

    package func finished(_ end: RunEnd) -> Finding {
        let latest = end.time + (.zero - self.grace)
        var first: (key: Key, timer: Timer)?
        var count = 0
        // The first by position, whatever order the dictionary has.
        for (key, timer) in self.pending where timer.due < latest {
            count += 1
            if timer.position <= first?.timer.position ?? .max {
                let same = timer.position == first?.timer.position
                if same, let name = first?.key.name, name < key.name { continue }
                first = (key, timer)
            }
        }
        if let first {
            return .broken(
                "\(counted(count, "timer")) due and never fired",
                Witness("'\(first.key.name)' set", position: first.timer.position)
            )
        }
        return .held("\(self.fired) fired")
    }

    private func fired(_ key: Key, _ event: EventID, _ record: RecordView) -> Finding? {
        let here = Witness("'\(key.name)' fired", position: record.position, event: event)
        guard let timer = self.pending.removeValue(forKey: key) else {
            guard self.isWhole else { return nil }
            return .broken("timer '\(key.name)' fired without being set, or again", here)
        }
        let there = Witness("'\(key.name)' set", position: timer.position, event: timer.event)
        if timer.event != event {
            return .broken("timer '\(key.name)' fired with another event", there, here)
        }
        if record.time < timer.due {
            let early = (timer.due - record.time).inNanoseconds / 1000
            return .broken("timer '\(key.name)' fired \(early) µs early", there, here)
        }
        return nil
    }
}
