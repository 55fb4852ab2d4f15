/// What belongs to each connection, ascending by its id.
///
/// Connections are few and looked up for every frame: halving a short list is faster than hashing.
package struct ConnectionTable<Value>: RandomAccessCollection {
    /// The ids, ascending.
    package private(set) var keys: [ConnectionID] = []
    /// What belongs to them, in their order.
    package private(set) var values: [Value] = []

    package init() {}

    package var startIndex: Int { 0 }
    package var endIndex: Int { self.keys.count }
    package subscript(index: Int) -> (key: ConnectionID, value: Value) {
        (self.keys[index], self.values[index])
    }

    package subscript(id: ConnectionID) -> Value? {
        get {
            let place = self.keys.place(of: id)
            return place.isKnown ? self.values[place.index] : nil
        }
        set {
            let place = self.keys.place(of: id)
            switch (newValue, place.isKnown) {
            case (let value?, true): self.values[place.index] = value
            case (let value?, false) where place.index == self.keys.count:
                self.keys.append(id)
                self.values.append(value)
            case (let value?, false):
                self.keys.insert(id, at: place.index)
                self.values.insert(value, at: place.index)
            case (nil, true):
                self.keys.remove(at: place.index)
                self.values.remove(at: place.index)
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
    package mutating func removeAll() {
        self.keys.removeAll(keepingCapacity: true)
        self.values.removeAll(keepingCapacity: true)
    }
}

extension [ConnectionID] {
    /// Where the connection is, or would be.
    fileprivate func place(of id: ConnectionID) -> (index: Int, isKnown: Bool) {
        var (low, high) = (0, self.count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < id { low = middle + 1 } else { high = middle }
        }
        return (low, low < self.count && self[low] == id)
    }
}
