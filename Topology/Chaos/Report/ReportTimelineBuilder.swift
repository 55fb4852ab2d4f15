import Events
import Mesh
import OutsideParties
import TopologyFile

/// Folds the log and the ledgers of a run into a timeline.
///
/// Whole journeys are left out where there are too many events for a page; lag and orders count
/// all of them nevertheless.
package struct ReportTimelineBuilder {
    /// How many events a page shows at most.
    package static let eventsMax = 60_000
    private static let lagSteps = 600

    private struct Place: Hashable {
        var topic: Int
        var partition: Int
        var offset: UInt64
    }

    private struct LagChange {
        var time: Duration
        var service: Int
        var by: Int
    }

    private let topology: Topology
    private let layout: MeshLayout
    private let began: Instant
    private let eventsMax: Int
    private var timeline = ReportTimeline()
    private var lanes: [String: Int] = [:]
    /// For each topic, the services that consume it.
    private var consumers: [[Int]] = []
    private var numbers: [EventID: Int] = [:]
    private var places: [Place: Int] = [:]
    /// For each service, the events that it is not done with.
    private var waiting: [Set<Int>] = []
    private var lagChanges: [LagChange] = []
    private var orderNumbers: [OrderID: Int] = [:]

    /// Prepares the timeline of a run of a topology that began at `began`.
    package init(topology: Topology, began: Instant, eventsMax: Int = Self.eventsMax) {
        let layout = topology.layout
        self.layout = layout
        self.topology = topology
        self.began = began
        self.eventsMax = eventsMax
        let publishers = layout.publishers.map(\.name)
        for name in publishers { self.add(lane: name, .party) }
        for service in layout.services { self.add(lane: service.name, .service) }
        for party in topology.outside where !publishers.contains(party.name) {
            self.add(lane: party.name, .party)
        }
        self.add(lane: "hub", .hub)
        self.consumers = Array(repeating: [], count: layout.topicCount)
        for service in layout.services.indices {
            for topic in layout.consumedTopics(of: service)
            where !self.consumers[topic].contains(service) {
                self.consumers[topic].append(service)
            }
        }
        self.waiting = layout.services.map { _ in [] }
    }

    private mutating func add(lane name: String, _ kind: ReportTimeline.Lane.Kind) {
        guard self.lanes[name] == nil else { return }
        self.lanes[name] = self.timeline.lanes.count
        self.timeline.lanes.append(ReportTimeline.Lane(name: name, kind: kind))
    }

    /// Returns the lane of a process, service or party; an instance has that of its service.
    package func lane(of name: some StringProtocol) -> String? {
        let name = String(name)
        if self.lanes[name] != nil { return name }
        guard let dash = name.lastIndex(of: "-"), Int(name[name.index(after: dash)...]) != nil
        else { return nil }
        let service = String(name[..<dash])
        return self.lanes[service] == nil ? nil : service
    }

    // MARK: The log

    /// Takes in the next record of the log.
    package mutating func observe(_ record: LogRecord) {
        let time = self.since(record.time)
        self.timeline.length = max(self.timeline.length, time)
        switch record.body {
        case .turn(let turn):
            guard self.layout.services.indices.contains(turn.service) else { return }
            for place in turn.acknowledged {
                let place = Place(
                    topic: place.topic,
                    partition: turn.partition,
                    offset: place.offset
                )
                self.arrived(place, at: turn.service, time, .handled)
            }

        case .deadLettered(let letter):
            guard self.layout.services.indices.contains(letter.service) else { return }
            let place = Place(
                topic: letter.topic,
                partition: letter.partition,
                offset: letter.offset
            )
            self.arrived(place, at: letter.service, time, .deadLettered)

        case .assigned(let service, let partition, let epoch, let instance):
            guard self.layout.services.indices.contains(service), epoch > 1 else { return }
            self.note(
                time,
                self.layout.services[service].name,
                "\(instance) takes over partition \(partition) (epoch \(epoch))"
            )

        case .rewound(let service, let partition, let topic, let offset):
            guard self.layout.services.indices.contains(service) else { return }
            self.note(
                time,
                self.layout.services[service].name,
                "rewound to \(self.layout.topicName(topic))/\(partition)@\(offset)"
            )

        case .closed: self.note(time, "hub", "the hub shut down in order")
        case .published, .timerFired, .redriven, .opened, .checkpoint: break
        }
        for event in record.events { self.published(event, time) }
    }

    private mutating func published(_ recorded: RecordedEvent, _ time: Duration) {
        let event = recorded.event
        self.add(lane: event.source, .party)
        let number = self.timeline.events.count
        self.timeline.events.append(
            ReportTimeline.Event(
                id: event.id,
                type: event.type,
                subject: event.subject,
                journey: event.correlation,
                lane: self.lanes[event.source] ?? 0,
                time: time,
                cause: self.numbers[event.causation],
                topic: self.layout.topicName(recorded.topic),
                partition: recorded.partition,
                offset: recorded.offset
            )
        )
        self.numbers[event.id] = number
        let place = Place(
            topic: recorded.topic,
            partition: recorded.partition,
            offset: recorded.offset
        )
        self.places[place] = number
        if self.consumers.indices.contains(place.topic) {
            for service in self.consumers[place.topic] {
                self.waiting[service].insert(number)
                self.lagChanges.append(LagChange(time: time, service: service, by: 1))
            }
        }
        if let content = ShopEvent(event) { self.happened(content, event, time) }
    }

    private mutating func happened(_ content: ShopEvent, _ event: EventEnvelope, _ time: Duration) {
        switch content {
        case .placed(let placed):
            guard self.orderNumbers[placed.order] == nil else { return }
            self.orderNumbers[placed.order] = self.timeline.orders.count
            self.timeline.orders.append(
                ReportTimeline.Order(
                    journey: event.correlation,
                    placed: self.since(event.time),
                    ended: nil,
                    end: .open
                )
            )

        case .confirmed(let confirmed): self.ended(confirmed.order, .confirmed, time)
        case .cancelled(let cancelled): self.ended(cancelled.order, .cancelled, time)

        case .stockReserved, .stockRefused, .stockReleased, .stockShipped, .stockSupplied,
            .captured, .declined, .refunded, .notified, .reported:
            break
        }
    }

    private mutating func ended(
        _ order: OrderID,
        _ end: ReportTimeline.Order.End,
        _ time: Duration
    ) {
        guard let number = self.orderNumbers[order], self.timeline.orders[number].end == .open
        else { return }
        self.timeline.orders[number].end = end
        self.timeline.orders[number].ended = time
    }

    private mutating func arrived(
        _ place: Place,
        at service: Int,
        _ time: Duration,
        _ kind: ReportTimeline.Arrival.Kind
    ) {
        guard let event = self.places[place] else { return }
        // What is handled again after a rewind did not wait.
        if self.waiting[service].remove(event) != nil {
            self.lagChanges.append(LagChange(time: time, service: service, by: -1))
        }
        self.arrival(event, service, time, kind)
    }

    private mutating func arrival(
        _ event: Int,
        _ service: Int,
        _ time: Duration,
        _ kind: ReportTimeline.Arrival.Kind
    ) {
        let lane = self.lanes[self.layout.services[service].name] ?? 0
        self.timeline.arrivals.append(
            ReportTimeline.Arrival(event: event, lane: lane, time: time, kind: kind)
        )
    }

    // MARK: What the log does not say

    /// Notes something that happened; a name that has no lane means the whole run.
    package mutating func note(_ time: Duration, _ name: String?, _ text: String) {
        let lane = name.flatMap { self.lane(of: $0) }.flatMap { self.lanes[$0] }
        self.timeline.notes.append(ReportTimeline.Note(time: time, lane: lane, text: text))
        self.timeline.length = max(self.timeline.length, time)
    }

    /// Takes in what bank and mail relay wrote down; to be called after the whole log.
    package mutating func observe(_ ledgers: Ledgers) {
        for party in self.topology.outside {
            switch party.kind {
            case .bank:
                for entry in ledgers.bank?.entries ?? [] {
                    let text = "\(entry.kind.rawValue) \(entry.amount) for \(entry.key)"
                    self.call(party.name, entry.time, text, about: entry.key)
                }

            case .mail:
                for entry in ledgers.mail?.entries ?? [] {
                    self.call(party.name, entry.time, "message \(entry.key)", about: entry.key)
                }

            case .shoppers: break
            }
        }
    }

    private mutating func call(
        _ party: String,
        _ time: Instant,
        _ text: String,
        about key: String
    ) {
        guard let lane = self.lanes[party] else { return }
        let links = self.topology.links.filter { $0.to == party }
        let callers = links.compactMap { self.lanes[$0.from] }
        self.timeline.calls.append(
            ReportTimeline.Call(
                time: self.since(time),
                from: callers.count == 1 ? callers[0] : nil,
                lane: lane,
                text: text,
                journey: self.journey(of: key)
            )
        )
    }

    /// A key begins with the order that it is about: `order-17-confirmed`.
    private func journey(of key: String) -> String {
        var name = key[...]
        while true {
            if let number = self.orderNumbers[OrderID(String(name))] {
                return self.timeline.orders[number].journey
            }
            guard let cut = name.lastIndex(where: { $0 == "-" || $0 == "/" }) else { return key }
            name = name[..<cut]
        }
    }

    private func since(_ time: Instant) -> Duration { time - self.began }
}

extension ReportTimelineBuilder {
    // MARK: The end

    /// Returns the timeline of a run that took `length`, with the journey `keeping` in any case.
    package func finished(length: Duration, keeping journey: String) -> ReportTimeline {
        var builder = self
        builder.timeline.length = max(builder.timeline.length, length)
        for service in builder.layout.services.indices {
            for event in builder.waiting[service].sorted() {
                builder.arrival(event, service, builder.timeline.length, .waiting)
            }
        }
        builder.timeline.notes.sort { $0.time < $1.time }
        builder.timeline.calls.sort { $0.time < $1.time }
        builder.timeline.eventCount = builder.timeline.events.count
        builder.fillLag()
        builder.thin(keeping: journey)
        return builder.timeline
    }

    private mutating func fillLag() {
        let nanoseconds = max(self.timeline.length.inNanoseconds, 1)
        // Whole microseconds: the page counts in them.
        let step = (nanoseconds / Int64(Self.lagSteps) / 1000 + 1) * 1000
        self.timeline.lagStep = .nanoseconds(step)
        let count = Int(nanoseconds / step) + 1
        var now = self.layout.services.map { _ in 0 }
        var lines = self.layout.services.map { _ in [Int](repeating: 0, count: count) }
        var place = 0
        for change in self.lagChanges {
            let next = min(max(Int(change.time.inNanoseconds / step), place), count - 1)
            while place < next {
                place += 1
                for service in lines.indices { lines[service][place] = now[service] }
            }
            now[change.service] += change.by
            lines[change.service][place] = max(lines[change.service][place], now[change.service])
        }
        while place < count - 1 {
            place += 1
            for service in lines.indices { lines[service][place] = now[service] }
        }
        self.timeline.lag = lines.enumerated().map { service, most in
            let lane = self.lanes[self.layout.services[service].name] ?? 0
            return ReportTimeline.Lag(lane: lane, most: most)
        }
    }

    /// Leaves out whole journeys until the rest fits on a page.
    private mutating func thin(keeping journey: String) {
        let all = self.timeline.events
        guard all.count > self.eventsMax else { return }
        self.timeline.sampling = (all.count + self.eventsMax - 1) / self.eventsMax
        let sampling = UInt64(self.timeline.sampling)
        let isKept = { (name: String) in
            name == journey || StableHash.of(name) % sampling == 0
        }
        var moved = [Int](repeating: -1, count: all.count)
        self.timeline.events = []
        for (number, event) in all.enumerated() where isKept(event.journey) {
            moved[number] = self.timeline.events.count
            self.timeline.events.append(event)
        }
        for number in self.timeline.events.indices {
            let cause = self.timeline.events[number].cause.map { moved[$0] }
            self.timeline.events[number].cause = cause == -1 ? nil : cause
        }
        self.timeline.arrivals = self.timeline.arrivals.compactMap { arrival in
            guard moved[arrival.event] >= 0 else { return nil }
            var arrival = arrival
            arrival.event = moved[arrival.event]
            return arrival
        }
        self.timeline.calls = self.timeline.calls.filter { isKept($0.journey) }
    }
}
