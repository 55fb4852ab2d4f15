import Chaos
import Mesh

extension ScenarioRun {
    /// Returns what a report tells of this run, once it is over.
    ///
    /// The story has more to tell where the run listens. Without `withTimeline` the run is only
    /// counted, and told where it failed.
    package func report(
        _ outcome: ScenarioOutcome,
        name: String,
        replay: String? = nil,
        withTimeline: Bool = true
    ) -> ReportRun {
        var report = ReportRun(
            name: name,
            world: .simulated,
            seed: self.scenario.seed,
            outcome: outcome.hasPassed ? .passed : .failed
        )
        if let verdict = outcome.verdict {
            report.headline = verdict.headline
            report.checks = verdict.checks
        }
        report.replay = replay
        report.hash = outcome.hash
        report.elapsed = outcome.elapsed
        let records = withTimeline || !outcome.hasPassed ? self.records() : []
        if let failure = outcome.failure {
            report.failure = failure
            let story = CausalStory(of: self, failure: failure, records: records)
            report.storyTitle = story.title
            report.story = story.lines
            report.journey = story.journey
        }
        var builder = ReportTimelineBuilder(topology: self.scenario.topology, began: self.began)
        report.faults = self.faultBars(outcome, builder)
        guard withTimeline else { return report }
        for record in records { builder.observe(record) }
        // Ledgers that cannot be read are the failure itself.
        if let ledgers = try? self.ledgers() { builder.observe(ledgers) }
        report.timeline = builder.finished(length: outcome.elapsed, keeping: report.journey)
        return report
    }

    private func faultBars(
        _ outcome: ScenarioOutcome,
        _ builder: ReportTimelineBuilder
    ) -> [ReportRun.FaultBar] {
        self.scenario.faults.enumerated().map { index, fault in
            let names = fault.to.isEmpty ? [fault.target] : [fault.target, fault.to]
            let span = self.faultSpan(index)
            let begin = span.began.map { $0 - self.began }
            let end = (fault.lasts ? span.ended : span.began).map { ended in
                max(ended - self.began, (begin ?? .zero) + .milliseconds(1))
            }
            return ReportRun.FaultBar(
                text: fault.description,
                label: fault.deed,
                lanes: names.compactMap { builder.lane(of: $0) },
                begin: begin,
                end: end.flatMap { $0 < outcome.elapsed ? $0 : nil },
                bitten: outcome.bitten.indices.contains(index) ? outcome.bitten[index] : 0
            )
        }
    }
}

extension CausalStory {
    /// Tells the story of a simulated run that is over.
    package init(of run: ScenarioRun, failure: ScenarioOutcome.Failure) {
        self.init(of: run, failure: failure, records: run.records())
    }

    fileprivate init(of run: ScenarioRun, failure: ScenarioOutcome.Failure, records: [LogRecord]) {
        self.init(
            of: records,
            began: run.began,
            failure: failure,
            incidents: run.incidents,
            complaints: run.complaints
        )
    }
}
