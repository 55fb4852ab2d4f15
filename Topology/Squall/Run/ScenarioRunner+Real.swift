import Chaos
import RealWorld

extension ScenarioRunner {
    /// Runs a scenario on processes under its seeds, one after the other.
    mutating func realResult(
        of file: ScenarioFile,
        stopsAtFailure: Bool,
        onPause: (Int) -> Void
    ) throws(ControlError) -> ScenarioResult {
        var result = ScenarioResult(of: file, in: .real)
        let list = RunList(root: "\(CommandContext.workingFolder)/.squall/runs")
        let first = self.firstSeed(of: file)
        for number in 0..<self.seedCount(of: file) where !self.isInterrupted {
            onPause(number)
            list.prune(keeping: max(0, Self.runsKept - 1))
            let scenario = file.scenario(seed: first &+ UInt64(number))
            do {
                let outcome = try RealScenarioRun.run(
                    scenario,
                    executables: FileSystem.executableFolder(),
                    folder: list.root
                )
                result.add(outcome, of: scenario)
                if stopsAtFailure, outcome.failure != nil { break }
            } catch let error as ControlError {
                throw error
            } catch is RealScenarioRun.Interrupted {
                self.isInterrupted = true
            } catch {
                throw ControlError("\(error)")
            }
        }
        return result
    }

    /// How many run folders are kept: enough for all scenarios of a team.
    private static let runsKept = 200
}
