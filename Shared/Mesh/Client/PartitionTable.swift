/// The partitions that an instance owns, by their number.
struct PartitionTable: Sendable {
    private var slots: [OwnedPartition?] = []
    /// More partitions than any topology has.
    static let numberMax = 65_535

    init() {}

    /// The numbers of the owned ones, ascending.
    var owned: [Int] { self.slots.indices.filter { self.slots[$0] != nil } }

    subscript(number: Int) -> OwnedPartition? {
        _read {
            if number < self.slots.count { yield self.slots[number] } else { yield nil }
        }
        _modify {
            while self.slots.count <= number, number <= Self.numberMax { self.slots.append(nil) }
            if number < self.slots.count {
                yield &self.slots[number]
            } else {
                var nobody: OwnedPartition?
                yield &nobody
            }
        }
    }
}
