import Events
import Mesh
import RealWorld

/// Writes events for people and for machines.
enum EventText {
    /// Returns an event as a CloudEvents 1.0 object, with its data as JSON where the type is known.
    static func json(_ recorded: RecordedEvent, layout: MeshLayout) -> JSONValue {
        let event = recorded.event
        var members: [JSONValue.Member] = [
            .init("specversion", "1.0"),
            .init("id", .string(event.id.description)),
            .init("source", .string(event.source)),
            .init("type", .string(event.type)),
            .init("subject", .string(event.subject)),
            .init("time", .string(self.timestamp(event.time))),
            .init("traceparent", .string(event.trace.traceparent)),
            .init("correlationid", .string(event.correlation)),
        ]
        if event.causation != .none {
            members.append(.init("causationid", .string(event.causation.description)))
        }
        members += [
            .init("topic", .string(layout.topicName(recorded.topic))),
            .init("partition", .int(Int64(recorded.partition))),
            .init("sequence", .string(String(recorded.offset))),
        ]
        if let data = self.data(event) {
            members.append(.init("datacontenttype", "application/json"))
            members.append(.init("data", data))
        } else {
            members.append(.init("data_base64", .string(Base64.text(event.data))))
        }
        return .object(members)
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
        (try? EventCatalogue.json(type: type, data: bytes)) ?? nil
    }

    /// Returns an instant as RFC 3339 in UTC with microseconds.
    static func timestamp(_ time: Instant) -> String {
        let seconds = time.nanoseconds.flooredQuotient(by: 1_000_000_000)
        let micros = (time.nanoseconds - seconds * 1_000_000_000) / 1_000
        let days = seconds.flooredQuotient(by: 86_400)
        let second = seconds - days * 86_400
        // Civil date of a day count, in eras of 400 years that begin on 1 March.
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(self.digits(year, 4))-\(self.digits(month, 2))-\(self.digits(day, 2))"
        let clock = [second / 3600, second / 60 % 60, second % 60].map { self.digits($0, 2) }
        return "\(date)T\(clock.joined(separator: ":")).\(self.digits(micros, 6))Z"
    }

    private static func digits(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self < quotient * divisor ? quotient - 1 : quotient
    }
}

/// Base64 with padding, as CloudEvents wants it for binary data.
enum Base64 {
    static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var out = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word = group.reduce(0) { $0 << 8 | Int($1) }
            word <<= 8 * (3 - group.count)
            for place in 0..<4 {
                let index = word >> (18 - 6 * place) & 63
                out.append(place <= group.count ? alphabet[index] : "=")
            }
        }
        return out
    }
}
