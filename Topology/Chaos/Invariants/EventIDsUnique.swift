import Mesh

/// No event is in the log twice.
///
/// A service that is rewound may repeat its events, and whoever hears of one again what it does
/// because of it.
package struct EventIDsUnique: Invariant {
    package let name = "event-ids-unique"
    package let promise = "no event is recorded twice"
    package let hears: Hearing = [.records, .turns]
    private var ids = FingerprintSet()
    private var rewound: [Int] = []
    private var repeated: Set<EventID> = []

    package init() {}

    package mutating func recorded(_ record: LogRecord) -> Finding? {
        switch record.body {
        case .published(_, _, let events): return self.check(events, by: nil, record.position)
        case .timerFired(_, _, _, let event): return self.check([event], by: nil, record.position)
        case .rewound(let service, _, _, _):
            if !self.rewound.contains(service) { self.rewound.append(service) }
            return nil
        case .turn, .redriven, .opened, .assigned, .deadLettered, .closed, .checkpoint: return nil
        }
    }

    package mutating func committed(_ turn: RecordedTurn, at position: UInt64) -> Finding? {
        self.check(turn.events, by: turn.service, position)
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        let count = self.repeated.count
        let repeats = count > 0 ? ", \(count) repeated after a rewind" : ""
        return .held(counted(self.ids.count, "event") + repeats)
    }

    private mutating func check(
        _ events: [RecordedEvent],
        by service: Int?,
        _ position: UInt64
    ) -> Finding? {
        for index in events.indices {
            let id = events[index].event.id
            if self.ids.insert(StableHash.combine(id.high, id.low)) { continue }
            let event = events[index]
            let isRewound = service.map(self.rewound.contains) ?? false
            if isRewound || self.repeated.contains(event.event.causation) {
                self.repeated.insert(id)
                continue
            }
            return .broken(
                "\(event.event.type) of \(event.event.subject) is recorded twice",
                Witness(
                    "\(event.event.type) again, from \(event.event.source)",
                    position: position,
                    event: id
                )
            )
        }
        return nil
    }
}
