import Chaos
import Mesh

extension RunArchive {
    /// Reads the whole run and returns what a report tells of it; it is judged on the way.
    ///
    /// - Throws: `ControlError` where the log or a ledger cannot be read.
    package mutating func report(of run: RunList.Run) throws(ControlError) -> ReportRun {
        var records: [LogRecord] = []
        while true {
            let more = try self.next()
            if more.isEmpty { break }
            records += more
        }
        let ledgers: Ledgers
        do {
            ledgers = try LedgerReader.ledgers(of: run.path, topology: self.topology)
        } catch {
            throw ControlError("the ledgers of \(run.id) cannot be read: \(error)")
        }
        let judge = self.judge
        for record in records { judge.observe(record) }
        var report = ReportRun(
            name: run.id,
            world: .real,
            seed: self.kept?.seed,
            verdict: judge.finish(ledgers: ledgers)
        )
        if let kept = self.kept, kept.expects != nil || report.outcome == .passed {
            // Not coming to rest is nothing that the log shows.
            report.outcome = kept.unexpected == nil ? .passed : .failed
            report.failure = kept.unexpected
        }
        if !self.isComplete {
            report.outcome = .unknown
            report.failure = ScenarioOutcome.Failure(
                invariant: "log-complete",
                summary: "retention has removed the beginning of the log, so it cannot be judged"
            )
        }
        let diary = RunDiary(folder: run.path)
        let began = run.record?.started ?? records.first?.time ?? .zero
        if let failure = report.failure, report.outcome == .failed {
            let faults = diary.faults.map { fault in
                ScenarioOutcome.Incident(time: fault.begin, text: fault.text)
            }
            let story = CausalStory(
                of: records,
                began: began,
                failure: failure,
                incidents: (diary.incidents + faults).sorted { $0.time < $1.time }
            )
            report.storyTitle = story.title
            report.story = story.lines
            report.journey = story.journey
        }
        var builder = ReportTimelineBuilder(topology: self.topology, began: began)
        for record in records { builder.observe(record) }
        builder.observe(ledgers)
        for incident in diary.incidents {
            // The process that it is about comes first, or behind the word for what was done.
            let words = incident.text.split { $0 == " " || $0 == ":" }.prefix(4)
            let lane = words.lazy.compactMap { builder.lane(of: $0) }.first
            builder.note(incident.time - began, lane, incident.text)
        }
        report.faults = self.faultBars(diary, began, builder)
        let length = (records.last?.time ?? began) - began
        report.timeline = builder.finished(length: length, keeping: report.journey)
        report.elapsed = report.timeline?.length ?? length
        return report
    }

    /// The faults of the scenario, or those that commands armed.
    private func faultBars(
        _ diary: RunDiary,
        _ began: Instant,
        _ builder: ReportTimelineBuilder
    ) -> [ReportRun.FaultBar] {
        guard let kept = self.kept else {
            return diary.faults.map { fault in
                ReportRun.FaultBar(
                    text: fault.text,
                    lanes: fault.targets.compactMap { builder.lane(of: $0) },
                    begin: fault.begin - began,
                    end: fault.end - began,
                    bitten: fault.bitten
                )
            }
        }
        return kept.faults.map { fault in
            ReportRun.FaultBar(
                text: fault.text,
                label: fault.label,
                lanes: fault.targets.compactMap { builder.lane(of: $0) },
                begin: fault.began,
                end: fault.ended.map { max($0, (fault.began ?? .zero) + .milliseconds(1)) },
                bitten: fault.bitten
            )
        }
    }
}
