import Chaos
import Mesh

/// The faults of the hub's disk.
extension FaultRunner {
    func beginDisk(_ index: Int) {
        switch self.faults[index].kind {
        case .failedSync:
            let error = DiskError(.syncFailed, "the disk failed on purpose")
            self.shop.disk.failNext(.sync(error)) { [weak self] in
                self?.bit(index, "a sync of the hub's disk fails")
            }
        case .tornWrite:
            self.shop.disk.failNext(.tornAppend(self.random.next())) { [weak self] in
                self?.bit(index, "the power fails in the middle of a write to the hub's log")
            }
        case .bitRot:
            guard let position = self.shop.rot(using: &self.random) else { return }
            self.bit(index, "a bit flips in the hub's log at byte \(position)")
        case .slowSync:
            self.note(index, self.words(of: self.faults[index]))
            self.setSyncDelay()
        case .diskFull:
            self.note(index, self.words(of: self.faults[index]))
            self.states[index].before = self.shop.hub.limit?.refusedCount ?? 0
            self.shop.hub.limit?.fill()
        default: break
        }
    }

    func endDisk(_ index: Int) {
        switch self.faults[index].kind {
        case .slowSync: self.setSyncDelay()
        case .diskFull where self.active(.diskFull).isEmpty: self.shop.hub.limit?.othersTake = 0
        default: break
        }
    }

    func syncWasSlow() {
        for index in self.active(.slowSync) { self.bit(index) }
    }

    private func setSyncDelay() {
        let delays = self.active(.slowSync).map { self.faults[$0].parameters.by ?? .zero }
        self.shop.hub.syncDelay = delays.max() ?? .zero
    }

    private func active(_ kind: Fault.Kind) -> [Int] {
        self.faults.indices.filter {
            self.states[$0].isActive && self.faults[$0].kind == kind
        }
    }
}

extension SimulatedShop {
    /// Flips a bit of the hub's log that is behind its last record; returns where, or nil where
    /// there is too little of a log.
    ///
    /// A change of the last record is told from a torn write by nobody.
    func rot(using random: inout SeededRandom) -> Int? {
        var follower = LogFollower()
        var last: UInt64 = 0
        while let records = try? follower.next(from: self.hub.disk), let record = records.last {
            last = record.position
        }
        let files = self.hub.disk.list().filter { Log.position(of: $0).map { $0 <= last } ?? false }
        guard let file = files.last, let base = Log.position(of: file) else { return nil }
        let first = RecordFormat.segmentHeaderBytes
        guard Int(last - base) > first else { return nil }
        let offset = first + random.below(Int(last - base) - first)
        self.hub.disk.flip(file, at: offset)
        self.hasRotten = true
        return Int(base) + offset
    }

    /// Reads the whole log once more: what has rotted in it must not go unseen.
    func recheckLog() throws(LogError) {
        var follower = LogFollower()
        while try !follower.next(from: self.hub.disk).isEmpty {}
        try follower.checkEnd(in: self.hub.disk)
    }
}
