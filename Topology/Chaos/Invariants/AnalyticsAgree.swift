import Events
import Mesh

/// What Analytics says at last is what a recount of the log gives, partition by partition.
package final class AnalyticsAgree: Invariant {
    package let name = "analytics-agree"
    package let promise = "analytics equal a recount of the log"
    package let hears: Hearing = [.records, .turns, .facts]

    private struct Partition {
        var recount = SalesRecount()
        var report: SalesReported?
        var reportPosition: UInt64 = 0
        /// How many events the partition has to count, and how many it is done with.
        var published = 0
        /// By topic; what was redriven counts where it was given up first.
        var handled: [Int]
    }

    private let service: Int?
    private let topics: [Bool]
    private var partitions: [Partition]
    private var givenUp: [UInt64: Witness] = [:]

    package init(layout: MeshLayout) {
        self.service = layout.serviceIndex("analytics")
        var topics = [Bool](repeating: false, count: layout.topicCount)
        if let service = self.service {
            for name in layout.services[service].consumes {
                if let index = layout.topicIndex(name) { topics[index] = true }
            }
        }
        self.topics = topics
        let count = self.service.map { layout.services[$0].partitions } ?? 0
        let empty = Partition(handled: [Int](repeating: 0, count: layout.topicCount))
        self.partitions = [Partition](repeating: empty, count: count)
    }

    package func recorded(_ record: RecordView) -> Finding? {
        guard let service = self.service else { return nil }
        switch record.body {
        case .published: self.published(record.events)

        case .deadLettered(let letter) where letter.service == service:
            self.givenUp[letter.number] = Witness(
                "analytics gave up \(letter.event.type) of \(letter.event.subject)",
                position: record.position,
                event: letter.event.id
            )

        case .redriven(service, let number): self.givenUp[number] = nil

        case .rewound(service, let partition, let topic, let offset)
        where self.partitions.indices.contains(partition) && self.topics.indices.contains(topic):
            // A rewound projection forgets what it counted and begins anew.
            self.partitions[partition].handled[topic] = Int(min(offset, 1 << 40))

        default: break
        }
        return nil
    }

    package func committed(_ record: RecordView) -> Finding? {
        self.published(record.events)
        let partition = record.turn.partition
        guard record.turn.service == self.service, self.partitions.indices.contains(partition)
        else { return nil }
        for place in record.acknowledged where self.topics.indices.contains(place.topic) {
            self.partitions[partition].handled[place.topic] += 1
        }
        return nil
    }

    private func published(_ events: [RecordView.EventView]) {
        for index in events.indices {
            let (topic, partition) = (events[index].topic, events[index].partition)
            guard self.topics.indices.contains(topic), self.topics[topic],
                self.partitions.indices.contains(partition)
            else { continue }
            self.partitions[partition].published += 1
        }
    }

    package func happened(_ fact: Fact, _ book: OrderBook) -> Finding? {
        if case .reported(let report) = fact.event {
            guard self.partitions.indices.contains(report.partition) else { return nil }
            self.partitions[report.partition].report = report
            self.partitions[report.partition].reportPosition = fact.position
            return nil
        }
        guard self.partitions.indices.contains(fact.partition) else { return nil }
        self.partitions[fact.partition].recount.count(fact.event)
        return nil
    }

    package func finished(_ end: RunEnd) -> Finding {
        guard self.service != nil else { return .unknown("there is no analytics service") }
        if let number = self.givenUp.keys.min(), let witness = self.givenUp[number] {
            return .unknown("analytics gave up an event", witness)
        }
        for (index, partition) in self.partitions.enumerated() {
            let waiting = partition.published - partition.handled.reduce(0, +)
            if waiting > 0 {
                return .unknown(
                    "analytics/\(index) has not counted \(counted(waiting, "event")) yet"
                )
            }
            let report = partition.report ?? SalesReported()
            guard let difference = partition.recount.difference(from: report) else { continue }
            return .broken(
                "analytics/\(index) reports \(difference)",
                Witness(
                    partition.report == nil
                        ? "analytics/\(index) never reported" : "the last report of \(index)",
                    position: partition.report == nil ? nil : partition.reportPosition
                )
            )
        }
        return .held("\(counted(self.partitions.count, "partition"))")
    }
}
