import Mesh

/// The decay of a log on its medium: where it strikes, and whether it is seen.
package enum LogRot {
    /// A byte of a file of a log.
    package struct Place: Sendable, Hashable {
        package var file: String
        package var offset: Int
        /// The byte's place in the whole log.
        package var position: UInt64
    }

    /// Returns a byte that lies before the last record; nil where there is too little of a log.
    ///
    /// A change of the last record is told from a torn write by nobody.
    package static func place(in disk: any Disk, using random: inout SeededRandom) -> Place? {
        var follower = LogFollower()
        var last: UInt64 = 0
        while let records = try? follower.next(from: disk), let record = records.last {
            last = record.position
        }
        let files = (try? disk.list()) ?? []
        let file = files.last { file in Log.position(of: file).map { $0 <= last } ?? false }
        guard let file, let base = Log.position(of: file) else { return nil }
        let first = RecordFormat.segmentHeaderBytes
        guard Int(last - base) > first else { return nil }
        let offset = first + random.below(Int(last - base) - first)
        return Place(file: file, offset: offset, position: base + UInt64(offset))
    }

    /// Reads a whole log once more: what has rotted in it must not go unseen.
    ///
    /// - Throws: ``LogError`` naming the place.
    package static func check(_ disk: any Disk) throws(LogError) {
        var follower = LogFollower()
        while try !follower.next(from: disk).isEmpty {}
        try follower.checkEnd(in: disk)
    }
}
