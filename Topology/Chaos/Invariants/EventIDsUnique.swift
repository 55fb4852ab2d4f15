import Mesh

/// No event is in the log twice.
///
/// A service that is rewound may repeat its events, and whoever hears of one again what it does
/// because of it.
package final class EventIDsUnique: Invariant {
    package let name = "event-ids-unique"
    package let promise = "no event is recorded twice"
    package let hears: Hearing = [.records, .emitting]
    private var ids = FingerprintSet()
    private var rewound: [Int] = []
    private var repeated: Set<EventID> = []

    package init() {}

    package func recorded(_ record: RecordView) -> Finding? {
        switch record.body {
        case .published, .timerFired: return self.check(record, by: nil)
        case .rewound(let service, _, _, _):
            if !self.rewound.contains(service) { self.rewound.append(service) }
            return nil
        case .turn, .redriven, .opened, .assigned, .deadLettered, .closed, .checkpoint: return nil
        }
    }

    package func committed(_ record: RecordView) -> Finding? {
        self.check(record, by: record.turn.service)
    }

    package func finished(_ end: RunEnd) -> Finding {
        let count = self.repeated.count
        let repeats = count > 0 ? ", \(count) repeated after a rewind" : ""
        return .held(counted(self.ids.count, "event") + repeats)
    }

    private func check(_ record: RecordView, by service: Int?) -> Finding? {
        for event in record.events {
            if self.ids.insert(StableHash.combine(event.id.high, event.id.low)) { continue }
            let isRewound = service.map(self.rewound.contains) ?? false
            if isRewound || self.repeated.contains(record.causation(of: event)) {
                self.repeated.insert(event.id)
                continue
            }
            let type = record.type(of: event)
            return .broken(
                "\(type) of \(record.subject(of: event)) is recorded twice",
                Witness(
                    "\(type) again, from \(record.source(of: event))",
                    position: record.position,
                    event: event.id
                )
            )
        }
        return nil
    }
}
