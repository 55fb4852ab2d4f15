/// The physical log: checksummed records in segment files, appended in groups.
///
/// Appended records are staged in memory; ``commit(syncing:)`` writes all of them and makes them
/// durable at once. One owner calls it, one call after the other. Positions are byte positions in
/// the whole log, segment headers included.
package final class Log {
    /// How large a segment grows before the next one begins, unless the state at the start of the
    /// next one would be most of it: then segments grow with that state.
    package let segmentBytesMax: Int
    /// Where the next record will begin.
    package private(set) var end: UInt64
    /// Everything before this is durable.
    package private(set) var durable: UInt64
    /// How many records were read at opening and appended since.
    package private(set) var recordCount = 0

    /// Returns the owner's state, to be written at the start of each further segment.
    ///
    /// Asked when everything appended is durable, so the state must stand for exactly that.
    package var checkpoint: (() -> [UInt8])?

    /// Why the disk has no room for more; nil while it has.
    ///
    /// Set where less than ``reserveBytesLow`` is left and no more can be had, nil again once the
    /// whole ``reserveBytes`` are there.
    package internal(set) var fullBecause: String?

    /// How much room is kept behind the end, so that what is under way can always be written.
    package static let reserveBytes = 2 << 20
    /// With less room left than this, more is reserved.
    package static let reserveBytesLow = 1 << 20
    /// With less room than this to be had, no log is opened.
    package static let reserveBytesMin = 1 << 16

    /// The name of a file that was a segment and becomes the next one.
    ///
    /// It gets a segment's name when it is one, so that a crash leaves either the one or the other.
    package static let spareFile = "spare"

    let disk: any Disk
    /// Whether ``spareFile`` is there.
    var hasSpare = false
    /// Whether old bytes follow the end in the last segment's file.
    var isRecycled = false
    /// Up to where the disk has promised room in the last segment.
    var reservedEnd: UInt64 = 0
    /// Where the log must be before a new segment is tried again that there was no room for.
    private var nextSegmentAt: UInt64 = 0
    var segments: [Segment]
    private var staged = WireWriter()
    private var stagedBase: UInt64
    /// How large the owner's state was at the start of the last segment.
    private var stateBytes = 0
    /// A segment is at least so many times larger than the state at its start.
    private static let stateShareMax = 4
    /// The time of the last record that was appended; nil before there is one.
    private var lastTime: Instant?
    /// The bytes of the last commits, for readers that follow closely, and those before them.
    private var tail = Window()
    private var olderTail = Window()
    /// What was read for readers that are further behind; empty where nobody is.
    ///
    /// Those of one topic's partitions need the same places one after the other.
    private var readAhead: [Window] = []
    private var commitsSinceReadAhead = 0
    private static let tailBytesMax = 512 * 1024
    private static let readAheadBytes = 256 * 1024
    private static let readAheadCount = 16
    private static let readAheadPatience = 64

    /// A part of the log in memory.
    private struct Window {
        var base: UInt64 = 0
        var bytes: [UInt8] = []

        /// Returns where `count` bytes of the log lie in the window; nil where they do not.
        func range(_ position: UInt64, _ count: Int) -> Range<Int>? {
            guard position >= self.base else { return nil }
            let start = position - self.base
            guard start + UInt64(count) <= UInt64(self.bytes.count) else { return nil }
            return Int(start)..<Int(start) + count
        }

        mutating func clear() { self.bytes.removeAll(keepingCapacity: true) }
    }

    struct Segment {
        var base: UInt64
        var file: String
        var lastTime: Instant?
    }

    /// A bug of the opening that can be planted.
    package enum RecoveryFlaw: String, Sendable, Hashable, CaseIterable {
        /// A torn tail is not cut off.
        case tornTailKept = "torn-tail-kept"
        /// A changed record is cut off with all behind it, as if a crash had torn it.
        case rotCutOff = "rot-cut-off"
    }

    /// Opens the log in `disk`, or begins one, and passes every record to `visitor`.
    ///
    /// A torn tail, which a crash in the middle of a write leaves, is cut off. A record whose bytes
    /// changed after they were committed is never cut off: that is an error naming its place.
    ///
    /// `flaw` plants a bug.
    ///
    /// - Throws: ``LogError`` with `.corrupt`, `.otherLayout`, `.full` or `.disk`.
    package init<V: LogVisitor>(
        disk: any Disk,
        segmentBytesMax: Int = 16 * 1024 * 1024,
        flaw: RecoveryFlaw? = nil,
        recoveringInto visitor: inout V
    ) throws(LogError) {
        self.disk = disk
        self.segmentBytesMax = segmentBytesMax
        let recovered = try LogRecovery.run(disk, flaw: flaw, &visitor)
        self.segments = recovered.segments.map { Segment(base: $0, file: Self.file(at: $0)) }
        self.end = recovered.end
        self.durable = recovered.end
        self.stagedBase = recovered.end
        self.recordCount = recovered.records
        do {
            let files = disk.recycles ? try disk.list() : []
            self.hasSpare = files.contains(Self.spareFile)
        } catch {
            throw LogError(error)
        }
        if self.segments.isEmpty { try self.beginSegment() }
        try self.makeRoom()
        guard self.room >= Self.reserveBytesMin else {
            throw LogError(.full, self.fullBecause ?? "there is no room for the log")
        }
    }

    /// The file that is written to, and where it begins; nil before the first one.
    var lastSegment: (base: UInt64, file: String)? { self.segments.last.map { ($0.base, $0.file) } }

    /// Returns the name of the segment file that begins at `position`.
    package static func file(at position: UInt64) -> String {
        let digits = String(position)
        return String(repeating: "0", count: 20 - digits.count) + digits + ".log"
    }

    /// Returns where the segment of that name begins, or nil where it is no segment.
    package static func position(of file: String) -> UInt64? {
        guard file.hasSuffix(".log"), file.utf8.count == 24 else { return nil }
        return UInt64(file.dropLast(4))
    }

    /// Stages a record whose body `write` appends, and returns its position.
    ///
    /// `write` is given the position of the body's first byte.
    @discardableResult
    package func append(_ write: (inout WireWriter, UInt64) -> Void) -> UInt64 {
        let position = self.end
        let start = self.staged.bytes.count
        self.staged.u32(0)
        self.staged.u64(0)
        let body = start + RecordFormat.headerBytes
        write(&self.staged, position + UInt64(RecordFormat.headerBytes))
        let count = self.staged.bytes.count - body
        self.staged.bytes.withUnsafeMutableBytes { bytes in
            let check = StableHash.of(
                UnsafeRawBufferPointer(rebasing: bytes[body...]),
                seed: position
            )
            bytes.storeBytes(of: UInt32(count).littleEndian, toByteOffset: start, as: UInt32.self)
            bytes.storeBytes(of: check.littleEndian, toByteOffset: start + 4, as: UInt64.self)
        }
        self.noteTime(ofBodyAt: body, count)
        self.end += UInt64(RecordFormat.headerBytes + count)
        self.recordCount += 1
        return position
    }

    /// Keeps the time of the last record, so that retention need not read the segment again.
    private func noteTime(ofBodyAt body: Int, _ count: Int) {
        guard count > 8 else { return }
        let time = self.staged.bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: body + 1, as: Int64.self).littleEndian
        }
        if time > self.lastTime?.nanoseconds ?? 0 { self.lastTime = Instant(nanoseconds: time) }
    }

    /// Whether records are staged that no commit has written.
    package var hasStaged: Bool { !self.staged.bytes.isEmpty }

    /// Writes what is staged, and makes it durable where `syncing`.
    ///
    /// - Throws: ``LogError``; then nothing that was staged may be counted on, and the log must be
    ///   opened again.
    package func commit(syncing: Bool = true) throws(LogError) {
        guard self.hasStaged else { return }
        let last = self.segments.count - 1
        precondition(last >= 0, "a log has a segment")
        do {
            let file = self.segments[last].file
            try self.disk.append(self.staged.bytes, to: file)
            if syncing { try self.disk.sync(file) }
        } catch {
            throw LogError(error)
        }
        self.keepTail()
        self.forgetReadAhead()
        self.durable = self.end
        self.stagedBase = self.end
        let goal = max(self.segmentBytesMax, Self.stateShareMax * self.stateBytes)
        let isLarge = self.end - self.segments[last].base >= UInt64(goal)
        if isLarge, !self.isFull, self.end >= self.nextSegmentAt {
            try self.beginSegment()
        }
        if self.room < Self.reserveBytesLow, !self.isFull { try self.makeRoom() }
    }

    /// Keeps what was staged for readers; much of it moves there as it is.
    private func keepTail() {
        if self.tail.bytes.isEmpty { self.tail.base = self.stagedBase }
        if self.tail.bytes.count + self.staged.bytes.count <= Self.tailBytesMax {
            self.tail.bytes.append(contentsOf: self.staged.bytes)
            self.staged.bytes.removeAll(keepingCapacity: true)
            return
        }
        swap(&self.olderTail, &self.tail)
        swap(&self.tail.bytes, &self.staged.bytes)
        self.tail.base = self.stagedBase
        let keeps = self.staged.bytes.capacity <= 2 * Self.tailBytesMax
        self.staged.bytes.removeAll(keepingCapacity: keeps)
    }

    private func beginSegment() throws(LogError) {
        let file = Self.file(at: self.end)
        let state = self.checkpoint?()
        var header = WireWriter()
        header.u64(RecordFormat.magic)
        header.u64(self.end)
        do {
            // A segment that is not the last one must end with its last record.
            if self.isRecycled { try self.giveBack() }
            let recycles = self.hasSpare
            let name = recycles ? Self.spareFile : file
            if recycles {
                try self.disk.rewind(name)
            } else if try self.disk.size(of: name) > 0 {
                try self.disk.truncate(name, to: 0)
            }
            guard try self.reserve(name, for: state) else {
                self.hasSpare = false
                return
            }
            try self.disk.append(header.bytes, to: name)
            try self.disk.sync(name)
            try self.giveBack()
            if recycles { try self.disk.rename(name, to: file) }
            self.hasSpare = false
            self.isRecycled = recycles
        } catch {
            throw LogError(error)
        }
        if let last = self.segments.indices.last { self.segments[last].lastTime = self.lastTime }
        self.segments.append(Segment(base: self.end, file: file))
        self.reservedEnd = self.end
        self.end += UInt64(RecordFormat.segmentHeaderBytes)
        self.durable = self.end
        self.stagedBase = self.end
        self.tail.clear()
        self.olderTail.clear()
        try self.write(state, to: file)
        try self.makeRoom()
    }

    /// Makes sure that a new segment has room for its beginning and what is kept behind it.
    ///
    /// Where it has not, the last segment grows on instead, and the next one is tried later.
    private func reserve(_ file: String, for state: [UInt8]?) throws(DiskError) -> Bool {
        guard !self.segments.isEmpty else { return true }
        do {
            try self.disk.reserve(file, upTo: Self.reserveBytes + 4096 + (state?.count ?? 0))
            return true
        } catch {
            guard error.code == .full else { throw error }
            try self.disk.remove(file)
            self.nextSegmentAt = self.end + UInt64(Self.reserveBytesLow)
            return false
        }
    }

    /// Puts the owner's state first in a segment, so that a recovery need not read older ones.
    private func write(_ state: [UInt8]?, to file: String) throws(LogError) {
        guard let state else { return }
        self.stateBytes = state.count
        self.append { writer, _ in
            writer.record(.checkpoint, at: .zero)
            writer.counted(state)
        }
        do {
            try self.disk.append(self.staged.bytes, to: file)
            try self.disk.sync(file)
        } catch {
            throw LogError(error)
        }
        self.staged.bytes.removeAll()
        self.durable = self.end
        self.stagedBase = self.end
    }

    /// Passes `count` bytes at `position` to `body`; they must lie within one durable record.
    ///
    /// `readingAhead` says that what follows will be wanted next.
    package func withBytes<R>(
        at position: UInt64,
        count: Int,
        readingAhead: Bool = false,
        _ body: (UnsafeRawBufferPointer) -> R
    ) throws(LogError) -> R {
        if let range = self.tail.range(position, count) {
            return self.tail.bytes.withBytes(range, body)
        }
        if let range = self.olderTail.range(position, count) {
            return self.olderTail.bytes.withBytes(range, body)
        }
        if readingAhead, let (window, range) = try self.readAhead(at: position, count: count) {
            return self.readAhead[window].bytes.withBytes(range, body)
        }
        let bytes = try self.read(at: position, count: count)
        guard bytes.count >= count else {
            throw LogError(.corrupt, "\(self.place(position)): the log ends before byte \(count)")
        }
        return bytes.withBytes(0..<count, body)
    }

    /// Returns the window where those bytes are, read if need be; nil where they cross its end.
    private func readAhead(
        at position: UInt64,
        count: Int
    ) throws(LogError) -> (window: Int, range: Range<Int>)? {
        let number = position / UInt64(Self.readAheadBytes)
        let window = Int(number % UInt64(Self.readAheadCount))
        self.commitsSinceReadAhead = 0
        if self.readAhead.isEmpty {
            self.readAhead = Array(repeating: Window(), count: Self.readAheadCount)
        }
        if let range = self.readAhead[window].range(position, count) { return (window, range) }
        let end = (number + 1) * UInt64(Self.readAheadBytes)
        guard position + UInt64(count) <= end else { return nil }
        let segment = self.segments.last { $0.base <= position }?.base ?? position
        let start = max(segment, number * UInt64(Self.readAheadBytes))
        self.readAhead[window].bytes = try self.read(at: start, count: Int(end - start))
        self.readAhead[window].base = start
        return self.readAhead[window].range(position, count).map { (window, $0) }
    }

    /// Lets go of what nobody reads any more.
    private func forgetReadAhead() {
        guard !self.readAhead.isEmpty else { return }
        self.commitsSinceReadAhead += 1
        if self.commitsSinceReadAhead > Self.readAheadPatience { self.readAhead = [] }
    }

    /// Where the log begins: what lay before was removed.
    package var start: UInt64 { self.segments.first?.base ?? self.end }

    /// Returns the record at `position`, which must be one's beginning.
    package func record(at position: UInt64) throws(LogError) -> LogRecord {
        try self.withRecord(at: position) { body throws(WireError) in
            try LogRecord(decoding: body, at: position)
        }
    }

    /// Returns what `read` makes of the body of the record at `position`.
    func withRecord<Result>(
        at position: UInt64,
        _ read: (UnsafeRawBufferPointer) throws(WireError) -> Result
    ) throws(LogError) -> Result {
        let count = try self.withBytes(at: position, count: RecordFormat.headerBytes) {
            Int($0.loadUnaligned(as: UInt32.self).littleEndian)
        }
        let result: Swift.Result<Result, WireError> = try self.withBytes(
            at: position + UInt64(RecordFormat.headerBytes),
            count: min(count, RecordFormat.bodyBytesMax)
        ) { body in
            Swift.Result { () throws(WireError) in try read(body) }
        }
        switch result {
        case .success(let result): return result
        case .failure(let error):
            throw LogError(.corrupt, "\(self.place(position)): \(error.message)")
        }
    }

    /// Passes durable records from `position` on, about `bytesMax` bytes of them, to `visitor`.
    ///
    /// - Returns: where the next record begins.
    package func scan<V: LogVisitor>(
        from position: UInt64,
        bytesMax: Int,
        into visitor: inout V
    ) throws(LogError) -> UInt64 {
        guard let index = self.segments.lastIndex(where: { $0.base <= position }) else {
            throw LogError(.corrupt, "byte \(position) lies before the log's first segment")
        }
        let segment = self.segments[index]
        let isLast = index == self.segments.count - 1
        let size = Int((isLast ? self.durable : self.segments[index + 1].base) - segment.base)
        var scan = SegmentScan(disk: self.disk, file: segment.file, base: segment.base, size: size)
        let start = max(Int(position - segment.base), RecordFormat.segmentHeaderBytes)
        var offset = start
        do {
            while offset - start < bytesMax, let found = try scan.record(at: offset) {
                visitor.record(at: segment.base + UInt64(offset))
                visitor.recorded(at: try LogRecovery.tell(found, of: scan, to: &visitor))
                offset = found.upperBound
            }
        } catch {
            throw (error as? LogError) ?? LogError(.disk, "\(error)")
        }
        if offset == start, offset < size {
            throw LogError(
                .corrupt,
                "\(segment.file) at byte \(offset): a committed record changed"
            )
        }
        return segment.base + UInt64(offset)
    }

    private func read(at position: UInt64, count: Int) throws(LogError) -> [UInt8] {
        guard let segment = self.segments.last(where: { $0.base <= position }) else {
            throw LogError(.corrupt, "byte \(position) lies before the log's first segment")
        }
        do {
            return try self.disk.read(
                segment.file,
                at: Int(position - segment.base),
                count: count
            )
        } catch {
            throw LogError(error)
        }
    }

    private func place(_ position: UInt64) -> String {
        let segment = self.segments.last { $0.base <= position }
        return "\(segment?.file ?? "log") at byte \(position - (segment?.base ?? 0))"
    }
}

extension [UInt8] {
    /// Calls `body` with the bytes of `range`.
    package func withBytes<R, E: Error>(
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try self.withUnsafeBufferPointer { bytes throws(E) in
            try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[range]))
        }
    }
}
