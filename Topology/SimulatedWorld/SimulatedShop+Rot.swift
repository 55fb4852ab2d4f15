import Mesh

/// What becomes of the log on a medium that rots.
extension SimulatedShop {
    /// Flips a bit of the hub's log before its last record; returns where, or nil where there is
    /// too little of a log.
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

    /// What a bit that flipped did to the log, which may be read no more otherwise.
    var foundRot: LogError? {
        guard self.hasRotten else { return nil }
        var follower = LogFollower()
        do throws(LogError) {
            while try !follower.next(from: self.hub.disk).isEmpty {}
            try follower.checkEnd(in: self.hub.disk)
            return nil
        } catch {
            return error
        }
    }
}
