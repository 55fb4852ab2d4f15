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
            var found = try self.find(from: disk, in: &piece)
            let first = self.position
            while let range = found {
                records.append(try self.record(range, of: &piece))
                guard self.position - first < bytesMax else { break }
                found = try self.find(in: &piece)
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
        guard let found = try self.find(from: disk, in: &piece) else { return nil }
        return try self.record(found, of: &piece)
    }

    /// Takes the next record into `view`; returns false when caught up.
    ///
    /// See ``nextRecord(from:in:)``, which costs several times as much.
    ///
    /// - Throws: ``LogError`` where the disk fails or the record is not what was written.
    package mutating func next(
        into view: inout RecordView,
        from disk: any Disk,
        in piece: inout Piece?
    ) throws(LogError) -> Bool {
        guard let found = try self.find(from: disk, in: &piece) else { return false }
        try self.take(found, of: &piece) { body, position throws(WireError) in
            try view.take(decoding: body, at: position)
        }
        return true
    }

    /// Finds the next record; `piece` is then the one that has it.
    private mutating func find(
        from disk: any Disk,
        in piece: inout Piece?
    ) throws(LogError) -> Range<Int>? {
        if let found = try self.find(in: &piece) { return found }
        if let segment = self.segment, segment.base <= self.position {
            piece = try Self.piece(segment.base, segment.file, disk)
            if let found = try self.find(in: &piece) { return found }
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
            let found = try self.find(in: &piece)
            self.segment = (base, file)
            if let found { return found }
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

    /// Finds the next record in a piece.
    private mutating func find(in piece: inout Piece?) throws(LogError) -> Range<Int>? {
        guard let base = piece?.scan.base, let size = piece?.scan.size else { return nil }
        let offset = max(Int(self.position) - Int(base), RecordFormat.segmentHeaderBytes)
        do {
            if let found = try piece?.scan.record(at: offset) { return found }
        } catch {
            throw LogError(error)
        }
        if offset > RecordFormat.segmentHeaderBytes || size >= offset {
            self.position = base + UInt64(offset)
        }
        return nil
    }

    /// Reads the record that was found; afterwards `position` is where the next one begins.
    private mutating func record(
        _ found: Range<Int>,
        of piece: inout Piece?
    ) throws(LogError) -> LogRecord {
        var builder = RecordBuilder()
        swap(&builder, &self.builder)
        defer { swap(&builder, &self.builder) }
        return try self.take(found, of: &piece) { body, position throws(WireError) in
            try builder.record(decoding: body, at: position)
        }
    }

    /// Passes the record that was found on; afterwards `position` is where the next one begins.
    private mutating func take<Result>(
        _ found: Range<Int>,
        of piece: inout Piece?,
        _ decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> Result
    ) throws(LogError) -> Result {
        let base = piece?.scan.base ?? 0
        do throws(WireError) {
            let result = try piece?.scan.withBody(found) { body throws(WireError) in
                try decode(body, base + UInt64(found.lowerBound))
            }
            guard let result else { preconditionFailure("a record was found in no piece") }
            self.position = base + UInt64(found.upperBound)
            return result
        } catch {
            let place = "\(piece?.scan.file ?? "") at byte \(found.lowerBound)"
            throw LogError(DiskError(.failed, "\(place): \(error.message)"))
        }
    }
}
