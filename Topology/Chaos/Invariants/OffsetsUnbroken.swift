import Mesh

/// Each topic partition counts its events without a gap and has only subjects that belong there.
package final class OffsetsUnbroken: Invariant {
    package let name = "offsets-unbroken"
    package let promise = "every topic is without gap or repeat, every event in its partition"
    package let hears: Hearing = [.records, .turns]

    private let layout: MeshLayout
    /// The next offset of each partition, topic by topic; nil where the log's beginning is unknown.
    private var next: [UInt64?]
    /// For each topic, where its partitions begin in ``next``; one more for the end.
    private let bases: [Int]
    /// For each service, the topic that is its journal.
    private let journals: [Int]
    private var eventCount = 0

    package init(layout: MeshLayout) {
        self.layout = layout
        self.journals = layout.services.indices.map { layout.journal(of: $0) }
        self.bases = (0..<layout.topicCount).reduce(into: [0]) { bases, topic in
            bases.append((bases.last ?? 0) + layout.partitionCount(topic))
        }
        self.next = [UInt64?](repeating: nil, count: self.bases.last ?? 0)
    }

    package func recorded(_ record: RecordView) -> Finding? {
        switch record.body {
        case .opened(let layout):
            guard layout == self.layout.fingerprint else {
                return .broken(
                    "the log was written with another topology",
                    Witness("opened", position: record.position)
                )
            }
            for place in self.next.indices { self.next[place] = 0 }
            return nil

        case .published: return self.check(record)

        case .timerFired, .redriven:
            for event in record.events {
                let finding = self.check(event, record.position)
                if let finding { return finding }
            }
            return nil

        case .turn, .assigned, .deadLettered, .rewound, .closed, .checkpoint: return nil
        }
    }

    package func committed(_ record: RecordView) -> Finding? {
        if let finding = self.check(record) { return finding }
        let count = record.turn.changeCount
        guard count > 0 else { return nil }
        let service = record.turn.service
        guard self.journals.indices.contains(service) else {
            return self.outside("service \(service)", record.position)
        }
        return self.check(
            self.journals[service],
            record.turn.partition,
            record.turn.firstChange,
            count: UInt64(count),
            record.position
        )
    }

    package func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.eventCount, "event"))
    }

    private func check(_ record: RecordView) -> Finding? {
        for event in record.events {
            if let finding = self.check(event, record.position) { return finding }
            self.eventCount += 1
            let partitions = self.bases[event.topic + 1] - self.bases[event.topic]
            let home = Int(event.subjectHash % UInt64(partitions))
            if home != event.partition {
                return .broken(
                    "'\(record.subject(of: event))' belongs into partition \(home)",
                    Witness(
                        self.place(event.topic, event.partition, event.offset),
                        position: record.position,
                        event: event.id
                    )
                )
            }
        }
        return nil
    }

    private func check(
        _ event: RecordView.EventView,
        _ position: UInt64
    ) -> Finding? {
        self.check(event.topic, event.partition, event.offset, count: 1, position, event.id)
    }

    private func check(
        _ topic: Int,
        _ partition: Int,
        _ offset: UInt64,
        count: UInt64,
        _ position: UInt64,
        _ event: EventID? = nil
    ) -> Finding? {
        guard topic >= 0, topic < self.bases.count - 1, partition >= 0,
            self.bases[topic] + partition < self.bases[topic + 1]
        else { return self.outside("partition \(partition) of topic \(topic)", position) }
        let index = self.bases[topic] + partition
        let expected = self.next[index] ?? offset
        self.next[index] = offset &+ count
        if offset == expected { return nil }
        let place = self.place(topic, partition, offset)
        return .broken(
            offset > expected
                ? "\(place) follows \(expected): \(offset - expected) missing"
                : "\(place) repeats what came before \(expected)",
            Witness(place, position: position, event: event)
        )
    }

    private func outside(_ what: String, _ position: UInt64) -> Finding {
        .broken(
            "\(what) is not in the topology",
            Witness("the record", position: position)
        )
    }

    private func place(_ topic: Int, _ partition: Int, _ offset: UInt64) -> String {
        "\(self.layout.topicName(topic))/\(partition) at \(offset)"
    }
}
