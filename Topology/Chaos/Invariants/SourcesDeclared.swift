import Mesh

/// Services emit in turns only; everything else comes from declared outside parties.
package struct SourcesDeclared: Invariant {
    package let name = "sources-declared"
    package let promise = "every event comes from a turn or a declared outside party"
    package let hears: Hearing = [.records, .turns]

    private let layout: MeshLayout
    /// For each service and topic, whether it may emit there.
    private let services: [[Bool]]
    private let publishers: [[Bool]]
    private var count = 0

    package init(layout: MeshLayout) {
        self.layout = layout
        self.services = layout.services.map { Self.topics($0.emits, layout) }
        self.publishers = layout.publishers.map { Self.topics($0.emits, layout) }
    }

    package mutating func recorded(_ record: LogRecord) -> Finding? {
        switch record.body {
        case .published(let publisher, _, let events):
            let index = self.layout.publishers.firstIndex { $0.name == publisher }
            let allowed = index.map { self.publishers[$0] } ?? []
            return self.check(
                events,
                publisher,
                allowed,
                record.position,
                isTurn: false
            )

        default: return nil
        }
    }

    package mutating func committed(_ turn: RecordedTurn, at position: UInt64) -> Finding? {
        guard !turn.events.isEmpty, self.services.indices.contains(turn.service) else {
            return nil
        }
        let name = self.layout.services[turn.service].name
        return self.check(turn.events, name, self.services[turn.service], position, isTurn: true)
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.count, "event"))
    }

    private mutating func check(
        _ events: [RecordedEvent],
        _ source: String,
        _ allowed: [Bool],
        _ position: UInt64,
        isTurn: Bool
    ) -> Finding? {
        for index in events.indices {
            self.count += 1
            let topicNumber = events[index].topic
            let isAllowed = allowed.indices.contains(topicNumber) && allowed[topicNumber]
            if isAllowed, events[index].event.source == source { continue }
            let event = events[index]
            let exists = (0..<self.layout.topicCount).contains(event.topic)
            let topic = exists ? self.layout.topicName(event.topic) : "topic \(event.topic)"
            let summary: String
            if isAllowed {
                summary = "\(source) emitted an event that says it is from \(event.event.source)"
            } else if !isTurn, self.layout.serviceIndex(source) != nil {
                summary = "\(source) emitted to \(topic) outside a turn"
            } else {
                summary = "\(source) emitted to \(topic), which it does not declare"
            }
            return .broken(
                summary,
                Witness(
                    "\(event.event.type) of \(event.event.subject)",
                    position: position,
                    event: event.event.id
                )
            )
        }
        return nil
    }

    private static func topics(_ names: [String], _ layout: MeshLayout) -> [Bool] {
        var allowed = [Bool](repeating: false, count: layout.topics.count)
        for name in names {
            if let index = layout.topicIndex(name) { allowed[index] = true }
        }
        return allowed
    }
}
