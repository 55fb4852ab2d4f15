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
    private var builder = RecordBuilder(keepsTexts: true)

    /// Creates a follower that begins at `position`, which must be a record's or 0.
    package init(from position: UInt64 = 0) {
        self.position = position
    }

    /// A piece of the log that is being read, record by record.
    package struct Piece {
        fileprivate var scan: SegmentScan
    }

    /// Returns the next records, at most about `bytesMax` bytes of them; empty when caught up.
    ///
    /// - Throws: ``LogError`` where the disk fails or a record is not what was written.
    package mutating func next(
        from disk: any Disk,
        bytesMax: Int = 262_144
    ) throws(LogError) -> [LogRecord] {
        let start = self.position
        var records: [LogRecord] = []
        var piece: Piece?
        do throws(LogError) {
            var record = try self.nextRecord(from: disk, in: &piece)
            let first = record?.position ?? 0
            while let found = record {
                records.append(found)
                guard self.position - first < bytesMax else { break }
                record = try self.record(in: &piece)
            }
        } catch {
            self.position = start
            throw error
        }
        return records
    }

    /// Returns the next record, or nil when caught up.
    ///
    /// `piece` is nil at first and then what this call made of it: what was read with the record
    /// before. Start anew with nil after the disk has lost bytes.
    ///
    /// - Throws: ``LogError`` where the disk fails or the record is not what was written.
    package mutating func nextRecord(
        from disk: any Disk,
        in piece: inout Piece?
    ) throws(LogError) -> LogRecord? {
        if let record = try self.record(in: &piece) { return record }
        if let segment = self.segment, segment.base <= self.position {
            piece = try Self.piece(segment.base, segment.file, disk)
            if let record = try self.record(in: &piece) { return record }
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
            piece = try Self.piece(base, file, disk)
            let record = try self.record(in: &piece)
            self.segment = (base, file)
            if let record { return record }
            guard bases.contains(self.position), self.position != base else { return nil }
        }
        return nil
    }

    private static func piece(
        _ base: UInt64,
        _ file: String,
        _ disk: any Disk
    ) throws(LogError) -> Piece {
        do {
            let size = try disk.size(of: file)
            return Piece(scan: SegmentScan(disk: disk, file: file, base: base, size: size))
        } catch {
            throw LogError(error)
        }
    }

    /// Reads one record of a piece; afterwards `position` is where the next one begins.
    private mutating func record(in piece: inout Piece?) throws(LogError) -> LogRecord? {
        guard let base = piece?.scan.base, let size = piece?.scan.size else { return nil }
        let offset = max(Int(self.position) - Int(base), RecordFormat.segmentHeaderBytes)
        do {
            guard let found = try piece?.scan.record(at: offset) else {
                if offset > RecordFormat.segmentHeaderBytes || size >= offset {
                    self.position = base + UInt64(offset)
                }
                return nil
            }
            let record = try piece?.scan.decode(found, with: &self.builder)
            self.position = base + UInt64(found.upperBound)
            return record
        } catch {
            throw LogError(error)
        }
    }
}

extension SegmentScan {
    /// Decodes the record that ``record(at:)`` has just found.
    func decode(
        _ range: Range<Int>,
        with builder: inout RecordBuilder
    ) throws(DiskError) -> LogRecord {
        let position = self.base + UInt64(range.lowerBound)
        do throws(WireError) {
            return try self.withBody(range) { body throws(WireError) in
                try builder.record(decoding: body, at: position)
            }
        } catch {
            let place = "\(self.file) at byte \(range.lowerBound)"
            throw DiskError(.failed, "\(place): \(error.message)")
        }
    }
}
