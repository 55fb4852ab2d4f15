import Mesh

/// Each service does with the events of a subject in their order, and with each of them once.
package struct DeliveriesOrdered: Invariant {
    package let name = "deliveries-ordered"
    package let promise = "each service handles a subject's events in order, each once"
    package let hears: Hearing = [.records, .turns]

    private let layout: MeshLayout
    private var windows: DeliveryWindows
    private var count = 0

    package init(layout: MeshLayout) {
        self.layout = layout
        self.windows = DeliveryWindows(layout: layout)
    }

    package mutating func recorded(_ record: RecordView) -> Finding? {
        switch record.body {
        case .published, .timerFired, .redriven:
            self.published(record.events)
            return nil

        case .deadLettered(let letter):
            let place = Acknowledgement(topic: letter.topic, offset: letter.offset)
            let step = self.handled(letter.service, letter.partition, letter.topic, letter.offset)
            // Giving up a subject's event lets the later ones pass: only a repeat is wrong.
            if case .before = step { return nil }
            return self.finding(
                step,
                letter.service,
                place,
                letter.partition,
                record.position
            )

        case .rewound(let service, let partition, let topic, let offset):
            self.windows.rewound(service: service, topic: topic, partition: partition, to: offset)
            return nil

        case .opened, .assigned, .closed, .checkpoint, .turn: return nil
        }
    }

    package mutating func committed(_ record: RecordView) -> Finding? {
        let (service, partition) = (record.turn.service, record.turn.partition)
        for place in Self.inOrder(record.acknowledged) {
            let step = self.handled(service, partition, place.topic, place.offset)
            if step == .inOrder { continue }
            if let finding = self.finding(step, service, place, partition, record.position) {
                return finding
            }
        }
        self.published(record.events)
        return nil
    }

    /// What a turn acknowledges it acknowledges at once: the order inside it is free.
    private static func inOrder(_ places: [Acknowledgement]) -> [Acknowledgement] {
        var last = 0
        for next in places.indices.dropFirst() {
            // Mostly it is in order as it comes.
            let (left, right) = (places[last], places[next])
            guard (left.topic, left.offset) <= (right.topic, right.offset) else {
                return places.sorted { ($0.topic, $0.offset) < ($1.topic, $1.offset) }
            }
            last = next
        }
        return places
    }

    package mutating func finished(_ end: RunEnd) -> Finding {
        .held(counted(self.count, "delivery", "deliveries"))
    }

    private mutating func published(_ events: [RecordView.EventView]) {
        self.windows.published(events, inOrder: true)
    }

    /// Returns nil where the service doesn't consume the topic.
    private mutating func handled(
        _ service: Int,
        _ partition: Int,
        _ topic: Int,
        _ offset: UInt64
    ) -> DeliveryWindow.Step? {
        guard let index = self.windows.index(service: service, topic: topic, partition: partition)
        else { return nil }
        self.count += 1
        return self.windows.handled(index, offset)
    }

    private func finding(
        _ step: DeliveryWindow.Step?,
        _ service: Int,
        _ place: Acknowledgement,
        _ partition: Int,
        _ position: UInt64
    ) -> Finding? {
        if step == .inOrder { return nil }
        let known = self.layout.services.indices.contains(service)
        let name = known ? self.layout.services[service].name : "service \(service)"
        let topic =
            (0..<self.layout.topicCount).contains(place.topic)
            ? self.layout.topicName(place.topic) : "topic \(place.topic)"
        let what = "\(topic)/\(partition) at \(place.offset)"
        let witness = Witness("\(name) is done with \(what)", position: position)
        switch step {
        case .before(let earlier):
            return .broken(
                "\(name) handled \(what) before \(earlier) of the same subject",
                witness
            )

        case .again: return .broken("\(name) handled \(what) twice", witness)
        case .neverPublished: return .broken("\(name) handled \(what), which is not there", witness)
        case .inOrder: return nil
        case nil: return .broken("\(name) handled \(what), which it does not consume", witness)
        }
    }
}
