import Mesh

/// Each topic partition counts its events without a gap and has only subjects that belong there.
package struct OffsetsUnbroken: Invariant {
    package let name = "offsets-unbroken"
    package let promise = "every topic is without gap or repeat, every event in its partition"
    package let hears: Hearing = [.records, .turns]

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

        case .published(_, _, let events): return self.check(events, record.position)

        case .timerFired(_, _, _, let event), .redriven(_, _, let event):
            return self.check(
                event.topic,
                event.partition,
                event.offset,
                count: 1,
                record.position,
                event.event.id
            )

        case .turn, .assigned, .deadLettered, .rewound, .closed, .checkpoint: return nil
        }
    }

    package mutating func committed(_ turn: RecordedTurn, at position: UInt64) -> Finding? {
        if let finding = self.check(turn.events, position) { return finding }
        guard !turn.changes.isEmpty else { return nil }
        guard self.layout.services.indices.contains(turn.service) else {
            return self.outside("service \(turn.service)", position)
        }
        return self.check(
            self.layout.journal(of: turn.service),
            turn.partition,
            turn.firstChange,
            count: UInt64(turn.changes.count),
            position
        )
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.eventCount, "event"))
    }

    private mutating func check(_ events: [RecordedEvent], _ position: UInt64) -> Finding? {
        for index in events.indices {
            let (topic, partition) = (events[index].topic, events[index].partition)
            if let finding = self.check(
                topic,
                partition,
                events[index].offset,
                count: 1,
                position,
                events[index].event.id
            ) {
                return finding
            }
            self.eventCount += 1
            let partitions = self.next[topic].count
            let home = StableHash.partition(of: events[index].event.subject, among: partitions)
            if home != partition {
                let event = events[index]
                return .broken(
                    "'\(event.event.subject)' belongs into partition \(home)",
                    Witness(
                        self.place(event.topic, event.partition, event.offset),
                        position: position,
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
        _ position: UInt64,
        _ event: EventID? = nil
    ) -> Finding? {
        guard self.next.indices.contains(topic), self.next[topic].indices.contains(partition)
        else { return self.outside("partition \(partition) of topic \(topic)", position) }
        let expected = self.next[topic][partition] ?? offset
        self.next[topic][partition] = offset &+ count
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
