/// Reads a log's records from the start or from where it stopped, also while it is written.
///
/// A record that is not complete yet is left for the next call.
package struct LogFollower: Sendable {
    /// Where the next record begins.
    package private(set) var position: UInt64
    /// How many bytes of the log were removed before they were read.
    package private(set) var missedBytes: UInt64 = 0
    /// The segment that was read last: mostly the next record is there too.
    private var segment: (base: UInt64, file: String)?
    private var texts = RecentTexts(keeps: true)

    /// Creates a follower that begins at `position`, which must be a record's or 0.
    package init(from position: UInt64 = 0) {
        self.position = position
    }

    /// Returns the next records, at most about `bytesMax` bytes of them; empty when caught up.
    ///
    /// - Throws: ``LogError`` where the disk fails or a record is not what was written.
    package mutating func next(
        from disk: any Disk,
        bytesMax: Int = 262_144
    ) throws(LogError) -> [LogRecord] {
        if let segment = self.segment, segment.base <= self.position {
            let records = try self.read(segment.base, segment.file, disk, bytesMax)
            if !records.isEmpty { return records }
        }
        let bases: [UInt64]
        do {
            bases = try disk.list().compactMap(Log.position(of:)).sorted()
        } catch {
            throw LogError(error)
        }
        while let base = bases.last(where: { $0 <= self.position }) ?? bases.first {
            if base > self.position {
                self.missedBytes += base - self.position
                self.position = base
            }
            let known = self.segment?.base == base ? self.segment?.file : nil
            let file = known ?? Log.file(at: base)
            let records = try self.read(base, file, disk, bytesMax)
            self.segment = (base, file)
            if !records.isEmpty { return records }
            guard bases.contains(self.position), self.position != base else { return [] }
        }
        return []
    }

    /// Reads from one segment; afterwards `position` is where the next record begins.
    private mutating func read(
        _ base: UInt64,
        _ file: String,
        _ disk: any Disk,
        _ bytesMax: Int
    ) throws(LogError) -> [LogRecord] {
        var records: [LogRecord] = []
        do {
            let size = try disk.size(of: file)
            var scan = SegmentScan(disk: disk, file: file, base: base, size: size)
            let start = max(Int(self.position) - Int(base), RecordFormat.segmentHeaderBytes)
            var offset = start
            while offset - start < bytesMax, let found = try scan.record(at: offset) {
                records.append(try scan.decode(found, like: &self.texts))
                offset = found.upperBound
            }
            if offset > RecordFormat.segmentHeaderBytes || size >= offset {
                self.position = base + UInt64(offset)
            }
        } catch {
            throw LogError(error)
        }
        return records
    }
}

extension SegmentScan {
    /// Decodes the record that ``record(at:)`` has just found.
    func decode(
        _ range: Range<Int>,
        like recent: inout RecentTexts
    ) throws(DiskError) -> LogRecord {
        let position = self.base + UInt64(range.lowerBound)
        let decoded: Result<LogRecord, WireError> = self.withBody(range) { body in
            Result { () throws(WireError) in
                try LogRecord(decoding: body, at: position, like: &recent)
            }
        }
        switch decoded {
        case .success(let record): return record
        case .failure(let error):
            let place = "\(self.file) at byte \(range.lowerBound)"
            throw DiskError(.failed, "\(place): \(error.message)")
        }
    }
}
