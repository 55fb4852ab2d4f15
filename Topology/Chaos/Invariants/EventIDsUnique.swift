import Mesh

/// No event is in the log twice.
package struct EventIDsUnique: Invariant {
    package let name = "event-ids-unique"
    package let promise = "no event is recorded twice"
    private var ids = FingerprintSet()
    private var rewound: [Int] = []
    private var repeats = 0

    package init() {}

    package mutating func recorded(_ record: LogRecord) -> Finding? {
        switch record.body {
        case .published(_, _, let events): return self.check(events, by: nil, record)
        case .turn(let turn): return self.check(turn.events, by: turn.service, record)
        case .timerFired(_, _, _, let event): return self.check([event], by: nil, record)
        case .rewound(let service, _, _, _):
            if !self.rewound.contains(service) { self.rewound.append(service) }
            return nil
        case .redriven, .opened, .assigned, .deadLettered, .closed: return nil
        }
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        let repeats = self.repeats > 0 ? ", \(self.repeats) repeated after a rewind" : ""
        return .held(counted(self.ids.count, "event") + repeats)
    }

    private mutating func check(
        _ events: [RecordedEvent],
        by service: Int?,
        _ record: LogRecord
    ) -> Finding? {
        for event in events {
            let id = event.event.id
            if self.ids.insert(StableHash.combine(id.high, id.low)) { continue }
            if let service, self.rewound.contains(service) {
                self.repeats += 1
                continue
            }
            return .broken(
                "\(event.event.type) of \(event.event.subject) is recorded twice",
                Witness(
                    "\(event.event.type) again, from \(event.event.source)",
                    position: record.position,
                    event: id
                )
            )
        }
        return nil
    }
}
