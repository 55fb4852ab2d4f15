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
    /// Flips a bit of the hub's log; returns where, or nil where there is too little of a log.
    func rot(using random: inout SeededRandom) -> UInt64? {
        guard let place = LogRot.place(in: self.hub.disk, using: &random) else { return nil }
        self.hub.disk.flip(place.file, at: place.offset)
        self.hasRotten = true
        return place.position
    }
}
