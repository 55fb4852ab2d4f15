package import Mesh

/// Events in the JSON form of CloudEvents 1.0, for people, tools and services in any language.
package enum CloudEvent {
    /// Returns an event as one object; `extensions` stand before the data.
    ///
    /// The data of a type that the catalogue does not know is JSON text already; what is neither
    /// becomes `data_base64`.
    package static func json(
        _ event: EventEnvelope,
        extensions: [JSONValue.Member] = []
    ) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("specversion", "1.0"),
            .init("id", .string(event.id.description)),
            .init("source", .string(event.source)),
            .init("type", .string(event.type)),
            .init("subject", .string(event.subject)),
            .init("time", .string(event.time.timestamp)),
            .init("traceparent", .string(event.trace.traceparent)),
            .init("correlationid", .string(event.correlation)),
        ]
        if event.causation != .none {
            members.append(.init("causationid", .string(event.causation.description)))
        }
        members += extensions
        if let data = Self.data(type: event.type, event.data) {
            members.append(.init("datacontenttype", "application/json"))
            members.append(.init("data", data))
        } else if !event.data.isEmpty {
            members.append(.init("data_base64", .string(Base64.text(event.data))))
        }
        return .object(members)
    }

    /// Returns the data of an event as JSON; nil where it has none, or is no JSON.
    package static func data(type: String, _ bytes: [UInt8]) -> JSONValue? {
        do {
            if let known = try EventCatalogue.json(type: type, data: bytes) { return known }
        } catch {
            return nil
        }
        guard !bytes.isEmpty else { return nil }
        return try? JSONValue(parsingUTF8: bytes)
    }
}
