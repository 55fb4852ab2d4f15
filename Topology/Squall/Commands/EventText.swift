import Chaos
import Events
import Mesh
import RealWorld

/// Writes events for people and for machines.
enum EventText {
    /// Returns an event as a CloudEvents 1.0 object, with its data as JSON where the type is known.
    static func json(_ recorded: RecordedEvent, layout: MeshLayout) -> JSONValue {
        CloudEvent.json(
            recorded.event,
            extensions: [
                .init("topic", .string(layout.topicName(recorded.topic))),
                .init("partition", .int(Int64(recorded.partition))),
                .init("sequence", .string(String(recorded.offset))),
            ]
        )
    }

    /// Returns an event on one line: when, what, about what, by whom, where.
    static func line(
        _ recorded: RecordedEvent,
        at time: Instant,
        layout: MeshLayout,
        style: Style
    ) -> String {
        let event = recorded.event
        let place =
            "\(layout.topicName(recorded.topic))/\(recorded.partition)@\(recorded.offset)"
        let stamp = self.timestamp(time)
        let clock = stamp.dropFirst(11).prefix(12)
        return [
            style.dim(String(clock)),
            HumanText.padded(event.type, 30),
            HumanText.padded(event.subject, 14),
            HumanText.padded("by \(event.source)", 17),
            style.dim(place),
        ].joined(separator: " ")
    }

    /// Returns an event's data as JSON; nil where its type is not known here.
    static func data(_ event: EventEnvelope) -> JSONValue? {
        self.data(type: event.type, event.data)
    }

    /// Returns the data of an event as JSON; nil where its type is not known here.
    static func data(type: String, _ bytes: [UInt8]) -> JSONValue? {
        CloudEvent.data(type: type, bytes)
    }

    /// Returns an instant as RFC 3339 in UTC with microseconds.
    static func timestamp(_ time: Instant) -> String { time.timestamp }
}
