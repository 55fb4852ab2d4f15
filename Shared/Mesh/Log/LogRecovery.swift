/// Is told every record of a log that is being opened.
package protocol LogVisitor: RecordVisitor {
    /// Announces the record whose parts follow.
    mutating func record(at position: UInt64)
    /// Says that all parts of the announced record were told.
    mutating func recorded(at time: Instant)
}

/// Scans all segments at opening: finds the end, cuts a torn tail, names what rotted.
enum LogRecovery {
    struct Result {
        var segments: [UInt64] = []
        var end: UInt64 = 0
        var records = 0
        var flaw: Log.RecoveryFlaw?
    }

    static func run<V: LogVisitor>(
        _ disk: any Disk,
        flaw: Log.RecoveryFlaw? = nil,
        _ visitor: inout V
    ) throws(LogError) -> Result {
        var result = Result()
        result.flaw = flaw
        do {
            let bases = try disk.list().compactMap(Log.position(of:)).sorted()
            let first = try self.lastCheckpoint(bases, disk)
            result.segments = Array(bases[..<first])
            for index in first..<bases.count {
                let isLast = index == bases.count - 1
                try self.segment(bases[index], isLast, index > first, disk, &visitor, &result)
            }
        } catch {
            throw Self.asLogError(error)
        }
        return result
    }

    /// Returns the number of the last segment that begins with a checkpoint, or 0.
    private static func lastCheckpoint(_ bases: [UInt64], _ disk: any Disk) throws -> Int {
        for index in stride(from: bases.count - 1, to: 0, by: -1) {
            let file = Log.file(at: bases[index])
            let size = try disk.size(of: file)
            var scan = SegmentScan(disk: disk, file: file, base: bases[index], size: size)
            guard let found = try scan.record(at: RecordFormat.segmentHeaderBytes) else { continue }
            let isCheckpoint = scan.withBody(found) { body in
                body.first == RecordFormat.Kind.checkpoint.rawValue
            }
            if isCheckpoint { return index }
        }
        guard let first = bases.first, first > 0 else { return 0 }
        let file = Log.file(at: first)
        var scan = SegmentScan(
            disk: disk,
            file: file,
            base: first,
            size: try disk.size(of: file)
        )
        let found = try scan.record(at: RecordFormat.segmentHeaderBytes)
        let kind = found.map { scan.withBody($0) { body in body.first } }
        guard kind == RecordFormat.Kind.checkpoint.rawValue else {
            throw LogError(
                .corrupt,
                "\(file): the log before byte \(first) is missing, and the segment does not begin "
                    + "with a checkpoint. Restore the older segments, or use a new run folder"
            )
        }
        return 0
    }

    private static func asLogError(_ error: any Error) -> LogError {
        if let error = error as? LogError { return error }
        if let error = error as? DiskError { return LogError(error) }
        return LogError(.corrupt, "\(error)")
    }

    private static func segment<V: LogVisitor>(
        _ base: UInt64,
        _ isLast: Bool,
        _ follows: Bool,
        _ disk: any Disk,
        _ visitor: inout V,
        _ result: inout Result
    ) throws {
        let file = Log.file(at: base)
        let size = try disk.size(of: file)
        if follows, base != result.end {
            throw LogError(
                .corrupt,
                "\(file): the log should go on at byte \(result.end); a segment is missing or cut"
            )
        }
        let header = try disk.read(file, at: 0, count: RecordFormat.segmentHeaderBytes)
        guard self.isHeader(header, base) else {
            if isLast, size < RecordFormat.segmentHeaderBytes {
                try disk.remove(file)
                return
            }
            throw LogError(.corrupt, "\(file) at byte 0: this is no segment of a log")
        }
        var scan = SegmentScan(disk: disk, file: file, base: base, size: size)
        var offset = RecordFormat.segmentHeaderBytes
        while let found = try scan.record(at: offset) {
            visitor.record(at: base + UInt64(offset))
            visitor.recorded(at: try self.tell(found, of: scan, to: &visitor))
            result.records += 1
            offset = found.upperBound
        }
        result.segments.append(base)
        if offset < size, result.flaw != .tornTailKept {
            let takesAll = result.flaw == .rotCutOff
            try self.tail(of: &scan, from: offset, isLast: isLast, takesAll: takesAll)
        }
        result.end = base + UInt64(offset)
    }

    /// Tells `visitor` the parts of the record that `scan` has just found.
    static func tell<V: LogVisitor>(
        _ found: Range<Int>,
        of scan: SegmentScan,
        to visitor: inout V
    ) throws(LogError) -> Instant {
        do throws(WireError) {
            return try scan.withBody(found) { body throws(WireError) in
                try RecordParser.parse(body, into: &visitor)
            }
        } catch {
            let place = "\(scan.file) at byte \(found.lowerBound)"
            throw LogError(.corrupt, "\(place): \(error.message)")
        }
    }

    /// Cuts what follows the last good record, unless that is more than a torn write.
    private static func tail(
        of scan: inout SegmentScan,
        from offset: Int,
        isLast: Bool,
        takesAll: Bool
    ) throws {
        let later = takesAll ? nil : try scan.laterRecord(after: offset)
        guard isLast, later == nil else {
            let place = later.map { "; a good record follows at byte \($0)" } ?? ""
            throw LogError(
                .corrupt,
                "\(scan.file) at byte \(offset): a committed record was changed\(place). "
                    + "Restore the file, or start with a new run folder; nothing was cut off"
            )
        }
        try scan.disk.truncate(scan.file, to: offset)
    }

    private static func isHeader(_ bytes: [UInt8], _ base: UInt64) -> Bool {
        guard bytes.count == RecordFormat.segmentHeaderBytes else { return false }
        return bytes.withUnsafeBytes { raw in
            raw.loadUnaligned(as: UInt64.self).littleEndian == RecordFormat.magic
                && raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian == base
        }
    }
}

/// Reads one segment through a window that moves forward.
struct SegmentScan {
    let disk: any Disk
    let file: String
    let base: UInt64
    let size: Int
    private var window: [UInt8] = []
    private var windowStart = 0
    /// The time of the last good record that was found.
    private var lastTime: Int64?
    private static let windowBytes = 64 << 10
    /// How far a good record is looked for behind one that is not.
    private static let laterBytesMax = 4 << 20
    /// How far behind the end of a segment that overwrites an older one.
    private static let laterBytesMaxBehindMark = 256 << 10
    /// Two records of a log are not a year apart, in nanoseconds.
    private static let yearNanoseconds: Int64 = 366 * 86_400 * 1_000_000_000

    init(disk: any Disk, file: String, base: UInt64, size: Int) {
        self.disk = disk
        self.file = file
        self.base = base
        self.size = size
    }

    /// Returns the file range of the good record at `offset`, header included, or nil.
    mutating func record(at offset: Int) throws(DiskError) -> Range<Int>? {
        guard offset + RecordFormat.headerBytes <= self.size else { return nil }
        guard try self.load(offset, RecordFormat.headerBytes) else { return nil }
        let at = offset - self.windowStart
        let (count, check) = self.window.withUnsafeBytes { raw in
            (
                Int(raw.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian),
                raw.loadUnaligned(fromByteOffset: at + 4, as: UInt64.self).littleEndian
            )
        }
        let end = offset + RecordFormat.headerBytes + count
        guard count > 0, count <= RecordFormat.bodyBytesMax, end <= self.size else { return nil }
        guard try self.load(offset, end - offset) else { return nil }
        let start = offset - self.windowStart + RecordFormat.headerBytes
        let actual = self.window.withBytes(start..<(start + count)) { body in
            StableHash.of(body, seed: self.base + UInt64(offset))
        }
        guard actual == check else { return nil }
        let time = self.time(ofBodyAt: offset + RecordFormat.headerBytes)
        // A checkpoint has none.
        if let time, time != 0 { self.lastTime = time }
        return offset..<end
    }

    /// Returns the time of a record whose body begins there; nil where the window ends before.
    private func time(ofBodyAt offset: Int) -> Int64? {
        let at = offset - self.windowStart
        guard at >= 0, at + 9 <= self.window.count else { return nil }
        return self.window.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: at + 1, as: Int64.self).littleEndian
        }
    }

    /// Calls `body` with the body of the record that ``record(at:)`` has just found.
    func withBody<R, E: Error>(
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let start = range.lowerBound - self.windowStart + RecordFormat.headerBytes
        return try self.window.withBytes(start..<(range.upperBound - self.windowStart), body)
    }

    /// Returns where a good record begins after `offset`, or nil where none does.
    ///
    /// - Complexity: O(*n*) in the bytes that follow, with a hash only where a length is plausible.
    mutating func laterRecord(after offset: Int) throws(DiskError) -> Int? {
        guard offset + RecordFormat.headerBytes <= self.size else { return nil }
        guard try self.load(offset, RecordFormat.headerBytes) else { return nil }
        let header = self.window.dropFirst(offset - self.windowStart)
        let isMark = header.prefix(RecordFormat.headerBytes).allSatisfy { $0 == 0 }
        let reach = isMark ? Self.laterBytesMaxBehindMark : Self.laterBytesMax
        var candidate = offset + 1
        let last = min(self.size - RecordFormat.headerBytes, offset + reach)
        while candidate <= last {
            if try self.mayBeRecord(at: candidate), try self.record(at: candidate) != nil {
                return candidate
            }
            candidate += 1
        }
        return nil
    }

    /// Whether the kind and the time are those of a record: the hash of what is none costs time,
    /// and an older segment's bytes look like many records.
    private mutating func mayBeRecord(at offset: Int) throws(DiskError) -> Bool {
        let body = offset + RecordFormat.headerBytes
        guard body + 9 <= self.size else { return true }
        guard try self.load(offset, RecordFormat.headerBytes + 9) else { return false }
        let kind = self.window[body - self.windowStart]
        guard RecordFormat.Kind(rawValue: kind) != nil else { return false }
        guard let last = self.lastTime, let time = self.time(ofBodyAt: body) else { return true }
        let (apart, isHuge) = time.subtractingReportingOverflow(last)
        return !isHuge && apart.magnitude < UInt64(Self.yearNanoseconds)
    }

    /// Makes sure that the window holds these bytes; false where the file has become shorter, as
    /// when a segment that overwrites an older one is complete.
    private mutating func load(_ offset: Int, _ count: Int) throws(DiskError) -> Bool {
        let end = self.windowStart + self.window.count
        if offset >= self.windowStart, offset + count <= end { return true }
        self.window = try self.disk.read(
            self.file,
            at: offset,
            count: max(count, min(Self.windowBytes, self.size - offset))
        )
        self.windowStart = offset
        if self.window.count >= count { return true }
        guard try self.disk.size(of: self.file) < self.size else {
            throw DiskError(.failed, "\(self.file): shorter than its size at byte \(offset)")
        }
        return false
    }
}
