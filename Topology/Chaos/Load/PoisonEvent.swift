import Mesh

/// An event whose data no service can read, as a producer with a bug would publish it.
package enum PoisonEvent {
    /// The business key that marks it, so that whoever judges the run knows it.
    package static let correlation = "poison"

    /// Returns the `number`-th poison event of a publisher, from 1.
    package static func envelope(
        type: String,
        number: Int,
        source: String,
        time: Instant
    ) -> EventEnvelope {
        let subject = "\(Self.correlation)-\(number)"
        let word = StableHash.of("\(source) \(subject)")
        let id = EventID(
            high: StableHash.combine(word, StableHash.of(type)),
            low: StableHash.combine(StableHash.of(type), word)
        )
        return EventEnvelope(
            id: id,
            source: source,
            type: type,
            subject: subject,
            time: time,
            trace: TraceContext(startedBy: id),
            causation: .none,
            correlation: Self.correlation,
            // A length that goes on for ever is the start of nothing.
            data: [UInt8](repeating: 0xFF, count: 16)
        )
    }
}
