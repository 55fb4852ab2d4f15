import Mesh
import MeshSocket
import RealWorld
import TopologyFile

/// `squall events`: the events of a run in the order of the log.
struct EventsCommand {
    let context: CommandContext
    let options: EventsOptions

    func run() throws(ControlError) -> Int32 {
        let run = try self.context.readableRun()
        var archive = try RunArchive(folder: run.path)
        let topic = try self.topic(archive.layout)
        // The watch begins before the first look, so that nothing falls between the two.
        let watch = self.options.follows ? try FolderWatch(archive.disk.folder) : nil
        var held: [String] = []
        while true {
            let records = try archive.next()
            for record in records {
                for event in record.allEvents where topic == nil || event.topic == topic {
                    let line = self.line(event, record, archive.layout)
                    if let last = self.options.last {
                        held.append(line)
                        if held.count > 2 * last + 1000 { held.removeFirst(held.count - last) }
                    } else {
                        self.context.terminal.write(line)
                    }
                }
            }
            guard records.isEmpty else { continue }
            for line in held.suffix(self.options.last ?? 0) { self.context.terminal.write(line) }
            held = []
            guard let watch else { break }
            watch.wait()
        }
        self.context.hint("squall trace ORDER shows what one order caused")
        return ExitCode.held
    }

    private func topic(_ layout: MeshLayout) throws(ControlError) -> Int? {
        guard let name = self.options.topic else { return nil }
        let names = (0..<layout.topicCount).map(layout.topicName)
        if let index = names.firstIndex(of: name) { return index }
        let declared = layout.topics.map(\.name)
        let closest = Suggestion.closest(to: name, among: declared)
        throw ControlError(
            "there is no topic '\(name)'"
                + (closest.map { "; did you mean '\($0)'?" }
                    ?? "; there are \(declared.joined(separator: ", "))"),
            hint: "squall graph",
            isUsage: true
        )
    }

    private func line(_ event: RecordedEvent, _ record: LogRecord, _ layout: MeshLayout) -> String {
        self.context.output.json
            ? EventText.json(event, layout: layout).text
            : EventText.line(
                event,
                at: record.time,
                layout: layout,
                style: self.context.terminal.style
            )
    }
}

extension LogRecord {
    /// The events that became durable with this record.
    var allEvents: [RecordedEvent] {
        switch self.body {
        case .published(_, _, let events): events
        case .turn(let turn): turn.events
        case .timerFired(_, _, _, let event), .redriven(_, _, let event): [event]
        case .opened, .assigned, .deadLettered, .rewound, .closed, .checkpoint: []
        }
    }
}
