/// A client that follows the log, and waits for it to grow.
struct WaitingObserver {
    let id: ConnectionID
    /// Up to where it knows the log to be durable.
    let position: UInt64
}

extension Hub {
    /// Lets an observer wait for the log to be durable beyond what it knows of.
    func follow(_ id: ConnectionID, from position: UInt64) {
        self.observers.removeAll { $0.id == id }
        self.observers.append(WaitingObserver(id: id, position: position))
        self.observers.sort { $0.id < $1.id }
    }

    /// Tells those who wait that the log has grown.
    ///
    /// Each is told once until it waits again: who reads slowly, or not at all, costs nothing.
    func tellObservers() {
        let position = self.log.durable
        for observer in self.observers where observer.position < position {
            self.send(to: observer.id) { $0.frame(.durable) { $0.varint(position) } }
        }
        self.observers.removeAll { $0.position < position }
    }
}
