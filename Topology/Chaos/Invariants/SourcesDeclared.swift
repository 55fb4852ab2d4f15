import Mesh

/// Services emit in turns only; everything else comes from declared outside parties.
package final class SourcesDeclared: Invariant {
    package let name = "sources-declared"
    package let promise = "every event comes from a turn or a declared outside party"
    package let hears: Hearing = [.records, .emitting]

    private let layout: MeshLayout
    private let names: [String]
    private let nameHashes: [UInt64]
    /// For each service and topic, whether it may emit there.
    private let services: [[Bool]]
    private let publishers: [[Bool]]
    private var count = 0

    package init(layout: MeshLayout) {
        self.layout = layout
        self.names = layout.services.map(\.name)
        self.nameHashes = self.names.map { StableHash.of($0) }
        self.services = layout.services.map { Self.topics($0.emits, layout) }
        self.publishers = layout.publishers.map { Self.topics($0.emits, layout) }
    }

    package func recorded(_ record: RecordView) -> Finding? {
        switch record.body {
        case .published(let publisher):
            let index = self.layout.publishers.firstIndex { $0.name == publisher }
            let allowed = index.map { self.publishers[$0] } ?? []
            return self.check(
                record,
                (publisher, StableHash.of(publisher)),
                allowed,
                isTurn: false
            )

        default: return nil
        }
    }

    package func committed(_ record: RecordView) -> Finding? {
        let service = record.turn.service
        guard self.services.indices.contains(service) else { return nil }
        return self.check(
            record,
            (self.names[service], self.nameHashes[service]),
            self.services[service],
            isTurn: true
        )
    }

    package func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.count, "event"))
    }

    private func check(
        _ record: RecordView,
        _ producer: (name: String, hash: UInt64),
        _ allowed: [Bool],
        isTurn: Bool
    ) -> Finding? {
        for event in record.events {
            self.count += 1
            let isAllowed = allowed.indices.contains(event.topic) && allowed[event.topic]
            if isAllowed, event.sourceHash == producer.hash { continue }
            let source = producer.name
            let exists = (0..<self.layout.topicCount).contains(event.topic)
            let topic = exists ? self.layout.topicName(event.topic) : "topic \(event.topic)"
            let actual = record.source(of: event)
            let summary: String
            if isAllowed {
                summary = "\(source) emitted an event that says it is from \(actual)"
            } else if !isTurn, self.layout.serviceIndex(source) != nil {
                summary = "\(source) emitted to \(topic) outside a turn"
            } else {
                summary = "\(source) emitted to \(topic), which it does not declare"
            }
            return .broken(
                summary,
                Witness(
                    "\(record.type(of: event)) of \(record.subject(of: event))",
                    position: record.position,
                    event: event.id
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
