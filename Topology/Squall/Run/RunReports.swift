import Chaos
import Mesh
import RealWorld
import SimulatedWorld

/// Writes what came of scenarios as JUnit XML and as an HTML page.
struct RunReports {
    let options: RunOptions
    let runs: RunList

    /// Writes the files that were asked for.
    ///
    /// `folders` are those of the failed runs that are kept.
    func write(
        _ results: [ScenarioResult],
        _ files: [ScenarioFile],
        _ folders: [String?]
    ) throws(ControlError) {
        guard self.options.junit != nil || self.options.report != nil else { return }
        var reported: [ReportRun] = []
        for (index, result) in results.enumerated() {
            let detailed = self.detailed(result, files[index], folders[index])
            reported += result.reportRuns(detailed: detailed)
        }
        if let file = self.options.junit { try Self.write(JUnit.xml(of: reported), to: file) }
        if let file = self.options.report { try Self.write(Report.html(of: reported), to: file) }
    }

    /// One run in full: the first that failed, else the first.
    private func detailed(
        _ result: ScenarioResult,
        _ file: ScenarioFile,
        _ folder: String?
    ) -> [UInt64: ReportRun] {
        guard let one = result.failures.first ?? result.runs.first else { return [:] }
        guard result.world == .simulated else {
            guard let run = try? self.runs.run(named: one.folder),
                var archive = try? RunArchive(folder: run.path),
                var report = try? archive.report(of: run)
            else { return [:] }
            report.seed = one.seed
            if one.outcome == .failed { report.replay = "squall check \(run.id)" }
            return [one.seed: report]
        }
        let run = ScenarioRun(file.scenario(seed: one.seed), listens: true)
        let replay = folder.map { "squall replay \($0)" }
        return [one.seed: run.report(run.run(), name: result.name, replay: replay)]
    }

    private static func write(_ text: String, to file: String) throws(ControlError) {
        do {
            try FileSystem.write(text, to: file)
        } catch {
            throw ControlError(error.message, hint: "squall help run", isUsage: true)
        }
    }
}
