import Mesh

extension ScenarioResult {
    /// What a report tells of each of its runs, by seed; a world that cannot do it gives one run,
    /// which was skipped.
    ///
    /// These only count: `detailed` has what more is known of some of them, by seed.
    package func reportRuns(detailed: [UInt64: ReportRun] = [:]) -> [ReportRun] {
        if let obstacle {
            var run = ReportRun(name: self.name, world: self.world, seed: nil, outcome: .skipped)
            run.headline = obstacle
            return [run]
        }
        let runs = self.runs.map { one in
            var run =
                detailed[one.seed]
                ?? ReportRun(
                    name: self.name,
                    world: self.world,
                    seed: one.seed,
                    outcome: one.outcome
                )
            run.name = self.name
            run.outcome = one.outcome
            run.failure = one.failure ?? run.failure
            if run.headline.isEmpty { run.headline = one.doubt ?? "" }
            run.hash = one.hash == 0 ? nil : one.hash
            run.elapsed = one.elapsed
            guard run.faults.isEmpty else { return run }
            run.faults = zip(self.faults, one.bitten).map { text, bitten in
                ReportRun.FaultBar(text: text, lanes: [], begin: nil, end: nil, bitten: bitten)
            }
            return run
        }
        guard self.outcome == .unknown, !runs.contains(where: { $0.outcome == .unknown }) else {
            return runs
        }
        // No single run is to blame for what happened in none of them.
        var all = ReportRun(name: self.name, world: self.world, seed: nil, outcome: .unknown)
        all.headline = self.doubts.joined(separator: "; ")
        return runs + [all]
    }
}
