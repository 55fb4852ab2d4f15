/// The room behind the log's end, put aside so that a disk that fills up stops nothing half-way.
extension Log {
    /// How many bytes can be written, whatever else fills the disk; what is staged is counted.
    package var room: Int { Int(self.reservedEnd) - Int(self.end) }

    /// Whether the disk has no more room than what is left of the reserve.
    package var isFull: Bool { self.fullBecause != nil }

    /// Reserves what is missing behind the end, as much of it as there is.
    ///
    /// - Parameter bytes: What is to be appended next, beyond the usual reserve.
    /// - Throws: ``LogError`` where the disk fails otherwise than by being full.
    package func makeRoom(for bytes: Int = 0) throws(LogError) {
        guard let (base, file) = self.lastSegment else { return }
        var wanted = Self.reserveBytes
        var refusal: DiskError?
        while wanted >= Self.reserveBytesMin {
            let upTo = self.end + UInt64(wanted + bytes)
            if upTo <= self.reservedEnd { break }
            do {
                try self.disk.reserve(file, upTo: Int(upTo - base))
                self.reservedEnd = upTo
                break
            } catch {
                guard error.code == .full else { throw LogError(error) }
                refusal = refusal ?? error
                wanted /= 2
            }
        }
        let enough = (self.isFull ? Self.reserveBytes : Self.reserveBytesLow) + bytes
        if self.room >= enough {
            self.fullBecause = nil
        } else {
            self.fullBecause = self.fullBecause ?? refusal?.message
        }
    }

    /// Gives up so much of the room that the log is short of it, as where others fill the disk.
    ///
    /// What is under way can still come to its end.
    package func runShort() {
        self.reservedEnd = min(self.reservedEnd, self.end + UInt64(Self.reserveBytesLow) - 1)
        try? self.makeRoom()
    }

    /// Gives back the room behind the end of the last segment, and what old bytes are there.
    ///
    /// For a log that ends, or a segment that no more is written to; what is staged must have
    /// been committed.
    package func giveBack() throws(DiskError) {
        guard let (base, file) = self.lastSegment, self.reservedEnd > self.end || self.isRecycled
        else { return }
        try self.disk.truncate(file, to: Int(self.end - base))
        self.reservedEnd = self.end
        self.isRecycled = false
    }
}
