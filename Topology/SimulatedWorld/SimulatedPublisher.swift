import Chaos
import Mesh
import TopologyFile

/// The connection of an outside party that publishes; it comes back by itself when the hub does.
final class SimulatedPublisher {
    let name: String
    private let simulation: Simulation
    private let hub: SimulatedHub
    /// In whose name it acts.
    private let process: Int
    private var client: PublisherClient
    private var link: SimulatedLink?
    private var answerWatch = AnswerWatch()
    private var answeredCount = 0
    private var poisonCount = 0
    /// The open events that nobody wants to hear of.
    private var asides: Set<UInt64> = []
    /// Called with what the hub answers.
    var onAction: (PublisherClient.Action) -> Void = { _ in }

    init(name: String, simulation: Simulation, hub: SimulatedHub) {
        self.name = name
        self.simulation = simulation
        self.hub = hub
        self.process = simulation.process(name)
        self.client = PublisherClient(
            hello: Hello(
                role: .publisher,
                name: name,
                instance: name,
                token: SimulatedShop.token
            )
        )
    }

    /// How many events have no answer yet.
    var unconfirmedCount: Int { self.asking { $0.unconfirmedCount } }

    /// Asks the client something in its place: a question put to a property copies its value.
    private func asking<Answer>(_ question: (inout PublisherClient) -> Answer) -> Answer {
        question(&self.client)
    }

    func connect() {
        let link = SimulatedLink(simulation: self.simulation, hub: self.hub, name: self.name)
        guard link.connect() else {
            return self.simulation.after(.milliseconds(10), by: self.process) { [unowned self] in
                self.connect()
            }
        }
        self.link = link
        link.onFrame = { [unowned self] in self.received($0) }
        link.onClose = { [unowned self] in
            self.client.disconnected()
            self.connect()
        }
        self.client.connected()
        self.send()
    }

    /// Publishes an event with the next ``send()``; returns its sequence number.
    func publish(_ event: EventEnvelope, to topic: String) -> UInt64 {
        self.client.publish(event, to: topic)
    }

    private func received(_ frame: UnsafeRawBufferPointer) {
        for action in (try? self.client.received(frame)) ?? [] {
            self.answeredCount += 1
            if case .refused(let sequence, _) = action, self.asides.remove(sequence) != nil {
                continue
            }
            self.onAction(action)
        }
        self.send()
    }

    /// Publishes an event that nobody can read.
    func publishPoison(type: String, to topic: String) {
        self.poisonCount += 1
        let event = PoisonEvent.envelope(
            type: type,
            number: self.poisonCount,
            source: self.name,
            time: self.simulation.now
        )
        self.publishAside(event, to: topic)
    }

    /// Publishes an event whose fate ``onAction`` says nothing of.
    func publishAside(_ event: EventEnvelope, to topic: String) {
        self.asides.insert(self.publish(event, to: topic))
        self.send()
    }

    func send() {
        let frames = self.client.takeOutput()
        if !frames.isEmpty { self.link?.sendToHub(frames) }
        let open = self.unconfirmedCount
        guard let wait = self.answerWatch.sent(answered: self.answeredCount, open: open)
        else { return }
        self.simulation.after(wait) { [weak self] in
            guard let self else { return }
            let isLost = self.answerWatch.cameDue(
                answered: self.answeredCount,
                open: self.unconfirmedCount,
                isConnected: self.asking { $0.isConnected }
            )
            if isLost { self.client.sendAgain() }
            self.send()
        }
    }
}

/// An event that an outside party publishes in a simulated run, beside the orders of the shoppers.
package struct Publication: Sendable {
    package var time: Duration
    package var source: String
    package var topic: String
    package var event: EventEnvelope

    /// `source` is an outside party that may publish to the event's topic; `time` counts from the
    /// start of the run.
    package init<E: Event>(_ event: E, from source: String, at time: Duration) {
        self.time = time
        self.source = source
        self.topic = E.topic
        let data = event.encoded()
        let content = data.withUnsafeBytes { StableHash.of($0) }
        let id = EventID(
            high: StableHash.of("\(source) \(E.type) \(event.subject)"),
            low: StableHash.combine(content, UInt64(bitPattern: time.inNanoseconds))
        )
        self.event = EventEnvelope(
            id: id,
            source: source,
            type: E.type,
            subject: event.subject,
            time: .zero,
            trace: TraceContext(startedBy: id),
            causation: .none,
            correlation: event.subject,
            data: data
        )
    }
}

/// An event cannot be published because nobody of that name publishes.
package struct PublicationError: Error, Hashable, CustomStringConvertible {
    package let message: String

    package var description: String { self.message }

    init(_ publication: Publication, publishers: [String]) {
        self.message =
            "nobody called '\(publication.source)' publishes \(publication.event.type)"
            + (Suggestion.hint(for: publication.source, among: publishers).map { "; \($0)" } ?? "")
    }
}
