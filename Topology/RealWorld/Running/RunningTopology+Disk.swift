import Chaos
import Mesh
import MeshSocket

/// Who has met a full disk, and since when; told once, however many they are.
struct DiskWatch {
    private var full: Set<String> = []
    private var since = Instant.zero

    enum Change: Hashable {
        case becameFull
        case hasRoom(after: Duration)
    }

    /// Notes what somebody found; returns what is worth telling.
    mutating func found(_ name: String, full isFull: Bool, now: Instant) -> Change? {
        let wasFull = !self.full.isEmpty
        if isFull { self.full.insert(name) } else { self.full.remove(name) }
        guard wasFull == self.full.isEmpty else { return nil }
        if isFull { self.since = now }
        return isFull ? .becameFull : .hasRoom(after: now - self.since)
    }
}

extension RunningTopology {
    func hubDisk(isFull: Bool) {
        self.load?.hubIs(full: isFull)
        self.disk(of: LaunchPlan.hub, isFull: isFull)
    }

    /// The hub or the shoppers' ledger found the disk full, or with room again.
    func disk(of name: String, isFull: Bool) {
        switch self.diskWatch.found(name, full: isFull, now: self.loop.now()) {
        case .becameFull:
            self.happened(
                "the disk of the run folder is full; orders are refused until there is room",
                .bad
            )
        case .hasRoom(let time):
            let after = HumanText.duration(time)
            self.happened("the disk of the run folder has room again after \(after)", .good)
        case nil: break
        }
    }
}
