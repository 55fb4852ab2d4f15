import Mesh

/// At the end nothing waits: every consumer is done with every event, or gave it up.
package struct EverythingHandled: Invariant {
    package let name = "everything-handled"
    package let promise = "every event is handled by each consumer, or a dead letter"
    package let hears: Hearing = [.records, .turns]

    private var windows: DeliveryWindows
    private var count = 0

    package init(layout: MeshLayout) {
        self.windows = DeliveryWindows(layout: layout)
    }

    package mutating func recorded(_ record: RecordView) -> Finding? {
        switch record.body {
        case .deadLettered(let letter):
            self.handled(letter.service, letter.partition, letter.topic, letter.offset)

        case .rewound(let service, let partition, let topic, let offset):
            self.windows.rewound(service: service, topic: topic, partition: partition, to: offset)

        case .turn, .published, .timerFired, .redriven, .opened, .assigned, .closed, .checkpoint:
            break
        }
        self.windows.published(record.events, inOrder: false)
        return nil
    }

    package mutating func committed(_ record: RecordView) -> Finding? {
        let (service, partition) = (record.turn.service, record.turn.partition)
        for place in record.acknowledged {
            self.handled(service, partition, place.topic, place.offset)
        }
        self.windows.published(record.events, inOrder: false)
        return nil
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        var total = 0
        var witness: [Witness] = []
        for (index, window) in self.windows.windows.enumerated() {
            guard let first = window.firstUnhandled else { continue }
            total += window.unhandledCount
            let name = self.windows.name(index)
            witness.append(
                Witness("\(name): \(window.unhandledCount) waiting, the first at \(first)")
            )
        }
        if witness.isEmpty { return .held(counted(self.count, "delivery", "deliveries")) }
        return Finding(
            .broken,
            "\(counted(total, "event")) never handled",
            witness: Array(witness.prefix(3))
        )
    }

    private mutating func handled(_ service: Int, _ partition: Int, _ topic: Int, _ offset: UInt64)
    {
        guard let index = self.windows.index(service: service, topic: topic, partition: partition)
        else { return }
        self.count += 1
        _ = self.windows.handled(index, offset)
    }
}
