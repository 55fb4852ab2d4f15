import Chaos
import Mesh
import MeshSocket

/// Reads the log of a running topology as it grows, for the live numbers and the judge.
final class LogFeed {
    private let disk: FolderDisk
    private var follower = LogFollower()
    /// What was read of the log and not taken in yet.
    private var piece: LogFollower.Piece?
    private var record = RecordView()
    private var reader = RecordReader()
    /// The live numbers.
    private(set) var fold: RunFold
    /// Judges each record as it comes.
    private(set) var judge: Judge
    private var hasReportedViolation = false
    /// Makes a judge that has seen nothing yet.
    private let newJudge: () -> Judge
    /// A piece that is taken in within a few milliseconds.
    private static let pieceBytesMax = 65_536

    /// A promise was broken: which, and how.
    var onViolation: (String, Finding) -> Void = { _, _ in }
    /// Retention has removed records before they were read, so nothing can be judged from here on.
    var onOvertaken: () -> Void = {}
    /// An event became durable.
    var onEvent: ((_ type: String, _ source: String) -> Void)?

    init(
        layout: MeshLayout,
        folder: String,
        except exceptions: Set<String> = []
    ) throws(DiskError) {
        self.disk = try FolderDisk(folder: folder)
        self.fold = RunFold(layout: layout)
        self.newJudge = { Judge(layout: layout, except: exceptions) }
        self.judge = self.newJudge()
    }

    /// Begins again at the start of the log where a new hub has made it shorter than what was read:
    /// what it has cut off never happened.
    func hubIsUp() {
        self.piece = nil
        let files = (try? self.disk.list()) ?? []
        let end = files.compactMap { file in
            Log.position(of: file).map { $0 + UInt64((try? self.disk.size(of: file)) ?? 0) }
        }.max()
        guard let end, end < self.follower.position else { return }
        self.fold = RunFold(layout: self.fold.layout)
        self.judge = self.newJudge()
        self.follower = LogFollower()
        let onEvent = self.onEvent
        self.onEvent = nil
        // What cannot be read is found again by whoever reads on.
        while (try? self.readSome()) == true {}
        self.onEvent = onEvent
    }

    /// How far the log was read.
    var position: UInt64 { self.follower.position }

    /// Whether retention has removed records before they were read.
    var isOvertaken: Bool { self.follower.missedBytes > 0 }

    /// Takes in some records; returns whether there may be more.
    ///
    /// - Throws: `LogError` naming the place that cannot be read.
    func readSome() throws(LogError) -> Bool {
        // Moved out for the time, so that nothing of them is copied.
        var (record, reader) = (RecordView(), RecordReader())
        swap(&record, &self.record)
        swap(&reader, &self.reader)
        defer {
            swap(&record, &self.record)
            swap(&reader, &self.reader)
        }
        let start = self.follower.position
        var hasMore = true
        while hasMore, self.follower.position - start < Self.pieceBytesMax {
            let wasOvertaken = self.isOvertaken
            hasMore = try self.readNext(into: &record)
            if self.isOvertaken, !wasOvertaken { self.onOvertaken() }
            guard hasMore else { break }
            reader.read(record)
            self.take(record, reader.contents)
        }
        if let violation = self.judge.violation, !self.hasReportedViolation {
            self.hasReportedViolation = true
            self.onViolation(violation.invariant, violation.finding)
        }
        return hasMore
    }

    private func readNext(into record: inout RecordView) throws(LogError) -> Bool {
        do {
            if try self.follower.next(into: &record, from: self.disk, in: &self.piece) {
                return true
            }
            self.piece = nil
            return false
        } catch {
            self.piece = nil
            throw error
        }
    }

    private func take(_ record: RecordView, _ contents: [ShopEvent?]) {
        self.fold.observed(record, contents)
        // What follows a gap would look like broken promises.
        if !self.isOvertaken { self.judge.observe(record, contents) }
        guard let onEvent else { return }
        for event in record.events { onEvent(record.type(of: event), record.source(of: event)) }
    }

    /// Takes in everything that there is; `again` reads the whole log once more.
    func readAll(again: Bool = false) throws(LogError) {
        if again { try LogRot.check(self.disk) }
        while try self.readSome() {}
        try self.follower.checkEnd(in: self.disk)
    }

    /// Judges the whole run; where records are missing, only what was broken before is known.
    func verdict(_ ledgers: Ledgers) -> Verdict {
        let proved = self.judge.violation
        let verdict = self.judge.finish(ledgers: ledgers)
        guard self.isOvertaken else { return verdict }
        let missed = HumanText.count(Int(self.follower.missedBytes)) + " bytes"
        let checks = verdict.checks.map { check in
            var check = check
            check.finding =
                check.name == proved?.invariant
                ? check.finding
                : .unknown("retention removed \(missed) of the log before they were read")
            return check
        }
        return Verdict(checks: checks, counts: verdict.counts, isVacuous: verdict.isVacuous)
    }
}
