import Mesh

/// What an adapter must know to speak for a command: who it is and what it may emit.
package struct AdapterSettings: Sendable, Hashable {
    /// The service's name in the topology file.
    package var service: String
    package var instance: String
    package var token: String
    /// The topics that the service consumes.
    package var consumes: [String]
    /// The topics that it may emit to.
    package var emits: [Topic]
    /// The largest event in bytes, envelope included.
    package var eventBytesMax: Int

    /// A topic with the event types that it carries.
    package struct Topic: Sendable, Hashable {
        package var name: String
        package var types: [String]

        package init(name: String, types: [String]) {
            self.name = name
            self.types = types
        }
    }

    package init(
        service: String,
        instance: String,
        token: String,
        consumes: [String],
        emits: [Topic],
        eventBytesMax: Int = MeshLayout.Limits().eventBytesMax
    ) {
        self.service = service
        self.instance = instance
        self.token = token
        self.consumes = consumes
        self.emits = emits
        self.eventBytesMax = eventBytesMax
    }

    /// The longest line that a command may send: an answer with a few of the largest events.
    package var lineBytesMax: Int { max(1 << 20, min(4 * self.eventBytesMax, 32 << 20)) }

    /// Returns the name of the topic for events of a type, among those that may be emitted.
    func topic(for type: String) -> String? {
        self.emits.first { $0.types.contains(type) }?.name
    }
}

extension AdapterSettings {
    /// Reads what the launcher hands over beyond names and token: `consumes`, `emits` with the
    /// types of each topic, and `eventBytesMax`.
    package init(service: String, instance: String, token: String, json: JSONValue) {
        let emits = (json["emits"]?.object ?? []).map { member in
            Topic(name: member.name, types: (member.value.array ?? []).compactMap(\.string))
        }
        self.init(
            service: service,
            instance: instance,
            token: token,
            consumes: (json["consumes"]?.array ?? []).compactMap(\.string),
            emits: emits
        )
        if let bytes = json["eventBytesMax"]?.int { self.eventBytesMax = Int(bytes) }
    }
}
