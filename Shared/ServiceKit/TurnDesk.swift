import Mesh

/// Where the turns of an instance write down what they decide.
///
/// A decision is one step, so that never two of them are written at a time: all turns use the same
/// one after the other, and its room with it.
///
/// Public only so that the compiler makes it anew for each service.
public final class TurnDesk<S: Service>: @unchecked Sendable {
    // Confined to the executor of the service's host, like the turns.

    /// What the turn that decides now, or decided last, adds to its commit.
    let decision = TurnDecision()
    /// The changes that it recorded, in the form in which they are applied.
    var changes: [S.Change] = []
    /// Called when a turn has decided and its changes are applied.
    var onDecision: (Turn<S>) -> Void = { _ in }
    private var topics: [MeshLayout.Topic] = []
    /// The numbers of the topics that events were emitted to: a few, looked up for each event.
    private var known: [(event: ObjectIdentifier, topic: Int)] = []

    /// Empties it for the next decision.
    func clear() {
        self.decision.removeAll()
        self.changes.removeAll(keepingCapacity: true)
    }

    /// The hub has let the instance in: these are its topics, by number.
    func welcomed(topics: [MeshLayout.Topic]) {
        self.topics = topics
        self.known = []
    }

    /// The number of the topic that carries such events.
    ///
    /// An unknown topic has a number that the hub refuses by name of the service.
    func topic<E: Event>(of event: E.Type) -> Int {
        let id = ObjectIdentifier(event)
        for entry in self.known where entry.event == id { return entry.topic }
        let topic = self.topics.firstIndex { $0.name == E.topic } ?? Int(Int32.max)
        self.known.append((id, topic))
        return topic
    }
}
