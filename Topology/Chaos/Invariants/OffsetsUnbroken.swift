import Mesh

/// Each topic partition counts its events without a gap and has only subjects that belong there.
package struct OffsetsUnbroken: Invariant {
    package let name = "offsets-unbroken"
    package let promise = "every topic is without gap or repeat, every event in its partition"

    private let layout: MeshLayout
    /// The next offset of each partition of each topic; nil where the log's beginning is unknown.
    private var next: [[UInt64?]]
    private var eventCount = 0

    package init(layout: MeshLayout) {
        self.layout = layout
        self.next = (0..<layout.topicCount).map {
            [UInt64?](repeating: nil, count: layout.partitionCount($0))
        }
    }

    package mutating func recorded(_ record: LogRecord) -> Finding? {
        switch record.body {
        case .opened(let layout):
            guard layout == self.layout.fingerprint else {
                return .broken(
                    "the log was written with another topology",
                    Witness("opened", position: record.position)
                )
            }
            for topic in self.next.indices {
                for partition in self.next[topic].indices { self.next[topic][partition] = 0 }
            }
            return nil

        case .published(_, _, let events): return self.check(events, record)

        case .turn(let turn):
            if let finding = self.check(turn.events, record) { return finding }
            guard !turn.changes.isEmpty else { return nil }
            guard self.layout.services.indices.contains(turn.service) else {
                return self.outside("service \(turn.service)", record)
            }
            return self.check(
                self.layout.journal(of: turn.service),
                turn.partition,
                turn.firstChange,
                count: UInt64(turn.changes.count),
                record
            )

        case .timerFired(_, _, _, let event), .redriven(_, _, let event):
            return self.check(
                event.topic,
                event.partition,
                event.offset,
                count: 1,
                record,
                event.event.id
            )

        case .assigned, .deadLettered, .rewound, .closed: return nil
        }
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.eventCount, "event"))
    }

    private mutating func check(_ events: [RecordedEvent], _ record: LogRecord) -> Finding? {
        for event in events {
            if let finding = self.check(
                event.topic,
                event.partition,
                event.offset,
                count: 1,
                record,
                event.event.id
            ) {
                return finding
            }
            self.eventCount += 1
            let partitions = self.layout.partitionCount(event.topic)
            let home = StableHash.partition(of: event.event.subject, among: partitions)
            if home != event.partition {
                return .broken(
                    "'\(event.event.subject)' belongs into partition \(home)",
                    Witness(
                        self.place(event.topic, event.partition, event.offset),
                        position: record.position,
                        event: event.event.id
                    )
                )
            }
        }
        return nil
    }

    private mutating func check(
        _ topic: Int,
        _ partition: Int,
        _ offset: UInt64,
        count: UInt64,
        _ record: LogRecord,
        _ event: EventID? = nil
    ) -> Finding? {
        guard self.next.indices.contains(topic), self.next[topic].indices.contains(partition)
        else { return self.outside("partition \(partition) of topic \(topic)", record) }
        let expected = self.next[topic][partition] ?? offset
        self.next[topic][partition] = offset &+ count
        if offset == expected { return nil }
        let place = self.place(topic, partition, offset)
        return .broken(
            offset > expected
                ? "\(place) follows \(expected): \(offset - expected) missing"
                : "\(place) repeats what came before \(expected)",
            Witness(place, position: record.position, event: event)
        )
    }

    private func outside(_ what: String, _ record: LogRecord) -> Finding {
        .broken(
            "\(what) is not in the topology",
            Witness("the record", position: record.position)
        )
    }

    private func place(_ topic: Int, _ partition: Int, _ offset: UInt64) -> String {
        "\(self.layout.topicName(topic))/\(partition) at \(offset)"
    }
}
