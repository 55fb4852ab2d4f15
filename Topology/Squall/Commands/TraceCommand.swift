import Chaos
import Mesh
import RealWorld

/// `squall trace ORDER`: everything that happened because of one order, as a tree.
struct TraceCommand {
    let context: CommandContext
    let order: String

    private struct Step {
        var recorded: RecordedEvent
        var at: Instant
        /// The services that have handled it, and when.
        var handled: [(service: String, at: Instant)] = []
        var children: [EventID] = []
    }

    func run() throws(ControlError) -> Int32 {
        let run = try self.context.readableRun()
        var archive = try RunArchive(folder: run.path)
        var steps: [EventID: Step] = [:]
        var order: [EventID] = []
        var deadLetters: [DeadLetter] = []
        var places: [Place: EventID] = [:]
        while true {
            let records = try archive.next()
            if records.isEmpty { break }
            for record in records {
                self.note(handled: record, archive.layout, places, &steps)
                for event in record.allEvents where event.event.correlation == self.order {
                    places[Place(event)] = event.event.id
                    guard steps[event.event.id] == nil else { continue }
                    steps[event.event.id] = Step(recorded: event, at: record.time)
                    order.append(event.event.id)
                    steps[event.event.causation]?.children.append(event.event.id)
                }
                if case .deadLettered(let letter) = record.body,
                    letter.event.correlation == self.order
                {
                    deadLetters.append(letter)
                }
            }
        }
        guard let first = order.first, let start = steps[first]?.recorded.event.time else {
            throw ControlError(
                "there is no order '\(self.order)' in \(run.id)",
                hint: "squall events --topic orders.placed --last 5",
                isUsage: true
            )
        }
        if self.context.output.json {
            for id in order {
                guard let step = steps[id] else { continue }
                let json = EventText.json(step.recorded, layout: archive.layout)
                self.context.terminal.write(json.text)
            }
            return ExitCode.held
        }
        for id in order where steps[steps[id]?.recorded.event.causation ?? .none] == nil {
            self.write(id, steps, archive.layout, start: start, depth: 0)
        }
        for letter in deadLetters {
            let service = archive.layout.services[letter.service].name
            self.context.terminal.write(
                self.context.terminal.style.red(
                    "\(letter.event.type) became dead letter \(letter.number) of \(service) "
                        + "after \(letter.attempts) attempts: \(letter.error)"
                )
            )
        }
        self.context.hint("squall trace \(self.order) --json shows each event with its data")
        return ExitCode.held
    }

    /// The place of an event, by which acknowledgements name it.
    private struct Place: Hashable {
        var topic: Int
        var partition: Int
        var offset: UInt64

        init(_ event: RecordedEvent) {
            self.topic = event.topic
            self.partition = event.partition
            self.offset = event.offset
        }

        init(_ place: Acknowledgement, partition: Int) {
            self.topic = place.topic
            self.partition = partition
            self.offset = place.offset
        }
    }

    private func note(
        handled record: LogRecord,
        _ layout: MeshLayout,
        _ places: [Place: EventID],
        _ steps: inout [EventID: Step]
    ) {
        guard case .turn(let turn) = record.body else { return }
        for place in turn.acknowledged {
            guard let id = places[Place(place, partition: turn.partition)] else { continue }
            steps[id]?.handled.append((layout.services[turn.service].name, record.time))
        }
    }

    private func write(
        _ id: EventID,
        _ steps: [EventID: Step],
        _ layout: MeshLayout,
        start: Instant,
        depth: Int
    ) {
        guard let step = steps[id], depth < 64 else { return }
        let style = self.context.terminal.style
        let event = step.recorded.event
        let after = HumanText.padded(left: HumanText.duration(step.at - start), 8)
        let indent = String(repeating: "  ", count: depth)
        let handled = step.handled.map { service, time in
            "\(service) +\(HumanText.duration(time - step.at))"
        }
        self.context.terminal.write(
            "\(style.dim(after))  \(indent)\(style.bold(event.type))  \(event.subject)  "
                + "by \(event.source)"
                + (handled.isEmpty ? "" : style.dim("  → \(handled.joined(separator: ", "))"))
        )
        for child in step.children {
            self.write(child, steps, layout, start: start, depth: depth + 1)
        }
    }
}
