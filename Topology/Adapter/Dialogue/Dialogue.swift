import Events
import Mesh

/// One instance of a service that is a command in any language: the hub on one side, lines of
/// JSON on the other.
///
/// The instance exists for the hub while its command is connected. Each delivery becomes one line,
/// a CloudEvent; the command's answer to it, with what it emits, becomes one commit. What it did
/// not answer when either side went away is delivered again.
///
/// Pure: it is told what arrived, returns what to do, and leaves frames for the hub in
/// ``takeOutput()``.
package struct Dialogue: Sendable {
    package enum Action: Sendable, Hashable {
        /// The command is there: connect to the hub.
        case connect
        /// The command is gone: leave the hub.
        case disconnect
        /// Send a line to the command.
        case send(String)
        /// Close the command's connection.
        case hangUp(String)
        /// Note something in the log.
        case report(String)
        /// The hub refused this instance for good.
        case refused(String)
    }

    private struct Work {
        var partition: Int
        var epoch: UInt64
        var delivery: Delivery
        /// The partition was lost since: the answer counts only if the event comes again.
        var isForgotten = false
    }

    private let settings: AdapterSettings
    private var client: ServiceClient
    private var topics: [String] = []
    private var isCommandThere = false
    private var isHubThere = false
    /// What the command was handed and has not answered, by the event's id.
    private var inHand: [String: Work] = [:]
    private var forgotten = 0
    /// A fault: every event takes this much longer.
    private var handicap = Duration.zero
    /// What waits because of the handicap, in order.
    private var slowed: [(due: Instant, work: Work)] = []

    /// How much may wait for answers that nobody needs any more.
    private static let forgottenMax = 4096

    package init(settings: AdapterSettings) {
        self.settings = settings
        self.client = ServiceClient(hello: Self.hello(settings))
    }

    private static func hello(_ settings: AdapterSettings) -> Hello {
        Hello(
            role: .service,
            name: settings.service,
            instance: settings.instance,
            token: settings.token,
            consumes: settings.consumes
        )
    }

    /// Returns the frames to send to the hub, and forgets them.
    package mutating func takeOutput() -> [UInt8] { self.client.takeOutput() }

    /// When ``timePassed(now:)`` has something to do; nil for never.
    package var nextDeadline: Instant? { self.slowed.first?.due }

    /// How many events the command was handed and has not answered.
    package var inHandCount: Int { self.inHand.count }

    // MARK: The command's connection

    /// The command has connected.
    package mutating func commandConnected() -> [Action] {
        self.isCommandThere = true
        return [.connect]
    }

    /// The command is gone, and with it what it had in hand.
    package mutating func commandDisconnected() -> [Action] {
        self.isCommandThere = false
        self.inHand = [:]
        self.forgotten = 0
        self.slowed = []
        _ = self.client.disconnected()
        self.isHubThere = false
        return [.disconnect]
    }

    /// The command said more than a line may have, which ends its connection.
    ///
    /// Nobody read which event that was about, so all that it has in hand count as failed: the one
    /// that is always answered so becomes a dead letter in the end.
    package mutating func lineWasTooLong(_ message: String) -> [Action] {
        let events = self.inHand.keys.sorted()
        return events.flatMap { event -> [Action] in
            guard let work = self.takeWork(event), !work.isForgotten else { return [] }
            return self.failed(work, message)
        }
    }

    /// A line of the command has arrived, without its newline.
    package mutating func received(line: String, now: Instant) -> [Action] {
        guard self.isCommandThere else { return [] }
        let reply: Reply
        do throws(Reply.Mistake) {
            reply = try Reply(parsing: line)
        } catch {
            return self.mistaken(error.event, error.message)
        }
        guard let work = self.takeWork(reply.event) else {
            let id = reply.event.prefix(64)
            return [Self.complaint("no event '\(id)' waits for an answer")]
        }
        guard !work.isForgotten else { return [] }
        switch reply.outcome {
        case .failed(let error):
            return self.failed(work, error)

        case .handled(let emissions):
            do throws(Reply.Mistake) {
                let decision = try self.decision(emissions, work.delivery.event, now: now)
                let (partition, epoch) = (work.partition, work.epoch)
                _ = self.client.decided(partition, epoch: epoch, work.delivery, decision)
                return self.perform(
                    self.client.finished(partition, epoch: epoch, work.delivery),
                    now: now
                )
            } catch {
                return [Self.complaint(error.message)] + self.failed(work, error.message)
            }
        }
    }

    /// A line was wrong: says so, and fails the event that it was about.
    private mutating func mistaken(_ event: String?, _ message: String) -> [Action] {
        var actions = [Self.complaint(message)]
        if let event, let work = self.takeWork(event), !work.isForgotten {
            actions += self.failed(work, message)
        }
        return actions
    }

    private mutating func takeWork(_ event: String) -> Work? {
        guard let work = self.inHand.removeValue(forKey: event) else { return nil }
        if work.isForgotten { self.forgotten -= 1 }
        return work
    }

    private mutating func failed(_ work: Work, _ error: String) -> [Action] {
        let event = work.delivery.event
        let what = "\(event.type) \(event.subject), attempt \(work.delivery.attempt)"
        let action = self.client.failed(work.partition, epoch: work.epoch, work.delivery, error)
        return [.report("warning \(what): \(error)")] + self.perform(action, now: .zero)
    }

    private static func complaint(_ message: String) -> Action {
        let line: JSONValue = ["error": .string(message)]
        return .send(line.text)
    }

    // MARK: The hub's connection

    /// The connection to the hub stands.
    package mutating func hubConnected() {
        self.isHubThere = true
        self.client.connected()
    }

    /// The connection to the hub is gone; an answer counts again once the hub has asked again.
    package mutating func hubDisconnected() -> [Action] {
        guard self.isHubThere else { return [] }
        self.isHubThere = false
        let actions = self.client.disconnected()
        return self.perform(actions, now: .zero)
    }

    /// A frame of the hub has arrived; `frame` is its body.
    ///
    /// - Throws: `WireError` where it cannot be read; then close the connection.
    package mutating func received(
        _ frame: UnsafeRawBufferPointer,
        now: Instant
    ) throws(WireError) -> [Action] {
        self.perform(try self.client.received(frame), now: now)
    }

    /// Hands over what a fault has slowed down.
    package mutating func timePassed(now: Instant) -> [Action] {
        var actions: [Action] = []
        while let first = self.slowed.first, first.due <= now {
            self.slowed.removeFirst()
            guard self.client.owns(first.work.partition, epoch: first.work.epoch) else { continue }
            actions += self.handOver(first.work)
        }
        return actions
    }

    private mutating func perform(
        _ actions: [ServiceClient.Action],
        now: Instant
    ) -> [Action] {
        actions.flatMap { self.perform($0, now: now) }
    }

    private mutating func perform(_ action: ServiceClient.Action?, now: Instant) -> [Action] {
        action.map { self.perform($0, now: now) } ?? []
    }

    private mutating func perform(_ action: ServiceClient.Action, now: Instant) -> [Action] {
        switch action {
        case .welcomed(let welcome):
            self.topics = welcome.topics.map(\.name)
            return []

        case .ready(let partition):
            return [.report("info partition \(partition) is ready")]

        case .handle(let partition, let epoch, let delivery):
            let work = Work(partition: partition, epoch: epoch, delivery: delivery)
            guard self.handicap > .zero || !self.slowed.isEmpty else { return self.handOver(work) }
            let start = max(now, self.slowed.last?.due ?? now)
            self.slowed.append((due: start + self.handicap, work: work))
            return []

        case .forget(let partition, let reason):
            return self.forget(partition) + [
                .report("info partition \(partition) is given up: \(reason)")
            ]

        case .refused(let refusal):
            return [.refused(refusal.description)]

        case .handicap(let milliseconds):
            self.handicap = .milliseconds(milliseconds)
            return []

        case .restore, .apply, .committed, .takeSnapshot:
            // State is the command's own business: there is no journal and no snapshot.
            return []
        }
    }

    private mutating func handOver(_ work: Work) -> [Action] {
        let id = work.delivery.event.id.description
        if let earlier = self.inHand[id] {
            guard earlier.isForgotten else {
                return self.failed(work, "the same event is being handled already")
            }
            // The command is still at it: one line, one answer.
            self.inHand[id] = work
            self.forgotten -= 1
            return []
        }
        self.inHand[id] = work
        return [.send(self.line(work))]
    }

    private func line(_ work: Work) -> String {
        let delivery = work.delivery
        var extensions: [JSONValue.Member] = []
        if self.topics.indices.contains(delivery.topic) {
            extensions.append(.init("topic", .string(self.topics[delivery.topic])))
        }
        extensions.append(.init("partition", .int(Int64(work.partition))))
        extensions.append(.init("attempt", .int(Int64(delivery.attempt))))
        return CloudEvent.json(delivery.event, extensions: extensions).text
    }

    private mutating func forget(_ partition: Int) -> [Action] {
        self.slowed.removeAll { $0.work.partition == partition }
        for (id, work) in self.inHand where work.partition == partition && !work.isForgotten {
            self.inHand[id]?.isForgotten = true
            self.forgotten += 1
        }
        guard self.forgotten > Self.forgottenMax else { return [] }
        return [.hangUp("it has left \(self.forgotten) events unanswered")]
    }

    // MARK: What the command emits

    private func decision(
        _ emissions: [Reply.Emission],
        _ cause: EventEnvelope,
        now: Instant
    ) throws(Reply.Mistake) -> TurnDecision {
        let decision = TurnDecision()
        var bytes = 0
        for (index, emission) in emissions.enumerated() {
            let place = "emit[\(index)]"
            let (topic, event) = try self.event(emission, cause, index, now: now)
            let envelope = event.encoded()
            bytes += envelope.count
            guard envelope.count <= self.settings.eventBytesMax else {
                throw Reply.Mistake(
                    message: "\(place): an event of \(envelope.count) bytes; the limit is "
                        + "\(self.settings.eventBytesMax) (limits.eventBytesMax)"
                )
            }
            guard bytes <= Frame.bodyBytesMax / 2 else {
                throw Reply.Mistake(message: "\(place): too many bytes for one turn")
            }
            decision.emit(envelope, to: topic)
        }
        return decision
    }

    private func event(
        _ emission: Reply.Emission,
        _ cause: EventEnvelope,
        _ index: Int,
        now: Instant
    ) throws(Reply.Mistake) -> (topic: Int, event: EventEnvelope) {
        let place = "emit[\(index)]"
        guard let name = self.settings.topic(for: emission.type),
            let topic = self.client.topic(name)
        else {
            throw Reply.Mistake(
                message: "\(place): no topic that \(self.settings.service) emits carries "
                    + "'\(emission.type)'; add it to the topic's types in the topology file"
            )
        }
        let (data, subject) = try self.data(emission, place)
        let event = EventEnvelope(
            id: cause.id.derived(by: self.settings.service, index: index),
            source: self.settings.service,
            type: emission.type,
            subject: subject ?? cause.subject,
            time: now,
            trace: cause.trace,
            causation: cause.id,
            correlation: cause.correlation,
            data: data
        )
        return (topic, event)
    }

    /// The data as it is stored, and the event's subject where it is not that of its cause.
    private func data(
        _ emission: Reply.Emission,
        _ place: String
    ) throws(Reply.Mistake) -> (data: [UInt8], subject: String?) {
        let known: (data: [UInt8], subject: String)?
        do throws(WireError) {
            known = try EventCatalogue.encode(
                type: emission.type,
                json: emission.data ?? .object([])
            )
        } catch {
            throw Reply.Mistake(message: "\(place): \(emission.type): \(error.message)")
        }
        guard let known else {
            return (emission.data.map { Array($0.text.utf8) } ?? [], emission.subject)
        }
        guard !known.subject.isEmpty, emission.subject ?? known.subject == known.subject else {
            throw Reply.Mistake(
                message: "\(place): the subject of this \(emission.type) is '\(known.subject)'"
            )
        }
        return (known.data, known.subject)
    }
}
