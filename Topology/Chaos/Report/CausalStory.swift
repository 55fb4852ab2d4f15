import Mesh

/// What led to a broken promise, in words: the events of one journey by cause, and the faults and
/// complaints in between.
package struct CausalStory {
    private struct Step {
        var time: Instant
        var order: Int
        var text: String
    }

    /// The line over the others.
    package var title: String {
        self.journey.isEmpty ? "What was done to it:" : "What happened to \(self.journey):"
    }
    /// One line each, in the order of time.
    package private(set) var lines: [String] = []
    /// The journey that it is about; empty where no event tells.
    package private(set) var journey = ""

    /// Tells the story of a run that is over and began at `began`: from its log, from what was done
    /// to it, and from what services complained about.
    package init(
        of records: [LogRecord],
        began: Instant,
        failure: ScenarioOutcome.Failure,
        incidents: [ScenarioOutcome.Incident],
        complaints: [ScenarioOutcome.Incident] = []
    ) {
        self.journey = Self.journey(failure, records)
        guard !self.journey.isEmpty else {
            self.lines = incidents.map { Self.stamp($0.time - began) + "  ⚡ " + $0.text }
            return
        }
        var steps = self.events(of: records)
        let first = steps.first?.time ?? began
        let last = steps.last?.time ?? began
        for incident in incidents
        where incident.time >= first + .milliseconds(-100) && incident.time <= last {
            steps.append(Step(time: incident.time, order: 0, text: "⚡ " + incident.text))
        }
        for line in complaints where Self.mentions(line.text, self.journey) {
            steps.append(Step(time: line.time, order: 1, text: "! " + line.text))
        }
        steps.sort { ($0.time, $0.order) < ($1.time, $1.order) }
        self.lines = steps.map { Self.stamp($0.time - began) + "  " + $0.text }
    }

    /// Finds the journey that the witness is part of, or one that never ended.
    private static func journey(
        _ failure: ScenarioOutcome.Failure,
        _ records: [LogRecord]
    ) -> String {
        for witness in failure.witness {
            guard let record = records.first(where: { $0.position == witness.position }) else {
                continue
            }
            let events = record.events
            let named = events.first { $0.event.id == witness.event } ?? events.first
            if let correlation = named?.event.correlation { return correlation }
        }
        let words = ([failure.summary] + failure.witness.map(\.text)).flatMap(Self.words)
        var open: [String] = []
        for record in records {
            for recorded in record.events {
                let event = recorded.event
                if words.contains(where: { Self.isAbout($0, event.correlation) }) {
                    return event.correlation
                }
                if event.type.hasPrefix("orders.placed") { open.append(event.correlation) }
                if event.type.hasPrefix("orders.c") { open.removeAll { $0 == event.correlation } }
            }
        }
        return open.first ?? ""
    }

    private func events(of records: [LogRecord]) -> [Step] {
        var depths: [EventID: Int] = [:]
        var steps: [Step] = []
        for record in records {
            for recorded in record.events where recorded.event.correlation == self.journey {
                let event = recorded.event
                // A projection's report stands for many events; this one only came last.
                if event.type.hasPrefix("analytics.") { continue }
                let depth = depths[event.causation].map { $0 + 1 } ?? 0
                depths[event.id] = depth
                let indent = String(repeating: "  ", count: min(depth, 12))
                steps.append(
                    Step(
                        time: record.time,
                        order: 2,
                        text: indent + Self.sentence(event)
                    )
                )
            }
        }
        return steps
    }

    /// An event as a sentence.
    private static func sentence(_ event: EventEnvelope) -> String {
        let verbs = [
            "orders.placed.v1": "place", "orders.confirmed.v1": "confirms",
            "orders.cancelled.v1": "cancels", "stock.requested.v1": "asks for stock for",
            "stock.reserved.v1": "sets stock aside:", "stock.refused.v1": "has no stock:",
            "stock.release-requested.v1": "gives stock back:",
            "stock.released.v1": "takes stock back:", "stock.shipped.v1": "ships",
            "stock.ship-requested.v1": "has it shipped:",
            "payments.requested.v1": "asks for the money of",
            "payments.captured.v1": "has the money of",
            "payments.declined.v1": "gets no money for",
            "payments.refund-requested.v1": "asks for a refund of",
            "payments.refunded.v1": "gave the money back for",
            "notifications.sent.v1": "told the customer of",
        ]
        let verb = verbs[event.type] ?? "emits"
        return "\(event.source) \(verb) \(event.subject)  (\(event.type))"
    }

    private static func mentions(_ text: String, _ word: String) -> Bool {
        self.words(text).contains { $0 == word }
    }

    private static func words(_ text: String) -> [Substring] {
        text.split { $0 == " " || $0 == "," || $0 == ":" || $0 == "'" }
    }

    /// Whether a word is a journey's name, or a key made of one: `order-7-confirmed`.
    private static func isAbout(_ word: Substring, _ journey: String) -> Bool {
        guard !journey.isEmpty, word.hasPrefix(journey) else { return false }
        let rest = word.dropFirst(journey.count)
        return rest.isEmpty || rest.first == "-" || rest.first == "/"
    }

    /// Seconds since the start, to the hundredth of a millisecond.
    private static func stamp(_ time: Duration) -> String {
        let hundredths = time.inNanoseconds / 10_000
        let fraction = String(100_000 + hundredths % 100_000).dropFirst()
        let whole = String(hundredths / 100_000)
        return String(repeating: " ", count: max(0, 3 - whole.count)) + whole + "." + fraction
            + " s"
    }
}
