import Chaos
import Mesh

/// What becomes of the log on a medium that rots.
extension SimulatedShop {
    /// Flips a bit of the hub's log; returns where, or nil where there is too little of a log.
    func rot(using random: inout SeededRandom) -> UInt64? {
        guard let place = LogRot.place(in: self.hub.disk, using: &random) else { return nil }
        self.hub.disk.flip(place.file, at: place.offset)
        self.hasRotten = true
        return place.position
    }

    /// What a bit that flipped did to the log, which may be read no more otherwise.
    var foundRot: LogError? {
        guard self.hasRotten else { return nil }
        do throws(LogError) {
            try LogRot.check(self.hub.disk)
            return nil
        } catch {
            return error
        }
    }
}
