/// What belongs to each connection, ascending by its id.
///
/// Connections are few and looked up for every frame: halving a short list is faster than hashing.
package struct ConnectionTable<Value>: RandomAccessCollection {
    private var entries: [(key: ConnectionID, value: Value)] = []

    package init() {}

    package var startIndex: Int { 0 }
    package var endIndex: Int { self.entries.count }
    package subscript(index: Int) -> (key: ConnectionID, value: Value) { self.entries[index] }

    /// The ids, ascending.
    package var keys: [ConnectionID] { self.entries.map(\.key) }

    /// What belongs to them, in their order.
    package var values: [Value] { self.entries.map(\.value) }

    package subscript(id: ConnectionID) -> Value? {
        get {
            let place = self.place(of: id)
            guard place < self.entries.count, self.entries[place].key == id else { return nil }
            return self.entries[place].value
        }
        set {
            let place = self.place(of: id)
            let isKnown = place < self.entries.count && self.entries[place].key == id
            switch (newValue, isKnown) {
            case (let value?, true): self.entries[place].value = value
            case (let value?, false): self.entries.insert((id, value), at: place)
            case (nil, true): self.entries.remove(at: place)
            case (nil, false): break
            }
        }
    }

    /// Removes a connection; returns what belonged to it.
    package mutating func removeValue(forKey id: ConnectionID) -> Value? {
        let value = self[id]
        if value != nil { self[id] = nil }
        return value
    }

    /// Removes all, and keeps their room.
    package mutating func removeAll() { self.entries.removeAll(keepingCapacity: true) }

    /// Where the connection is, or would be.
    private func place(of id: ConnectionID) -> Int {
        var (low, high) = (0, self.entries.count)
        while low < high {
            let middle = (low + high) / 2
            if self.entries[middle].key < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
