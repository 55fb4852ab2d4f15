import Chaos
import Mesh
import RealWorld
import SimulatedWorld

/// Runs a scenario under seeds in the simulated world and says what is wrong with it.
package struct ScenarioTrial: Sendable {
    package let file: ScenarioFile
    /// Invariants of the test's own.
    let invariants: [@Sendable (MeshLayout) -> any Invariant]
    /// Services of the test's own.
    let services: [OwnService]
    package let seeds: ClosedRange<UInt64>
    /// The test that it belongs to.
    let test: String

    /// Prepares the trial of a scenario.
    package init(
        file: ScenarioFile,
        invariants: [@Sendable (MeshLayout) -> any Invariant] = [],
        services: [OwnService] = [],
        seeds: ClosedRange<UInt64>,
        test: String
    ) {
        self.file = file
        self.invariants = invariants
        self.services = services
        self.seeds = seeds
        self.test = test
    }

    /// What is wrong, for people: a broken promise with its story, what never happened, a planted
    /// bug that nobody noticed; nothing where all is well.
    package func complaints() async -> [String] {
        let result = await self.result()
        switch result.outcome {
        case .passed: break
        case .failed: return [self.complaint(about: result)]
        case .unknown, .skipped:
            let doubts = result.obstacle.map { ["skipped: \($0)"] } ?? result.doubts
            return ["\(self.file.name) proves nothing: " + doubts.joined(separator: "; ")]
        }
        var complaints: [String] = []
        for bug in self.file.brokenBy {
            let found = await self.planting(bug).firstFailure()
            if found == nil {
                complaints.append(
                    "\(self.file.name) cannot fail as it should: with the bug \(bug) planted, "
                        + "seeds \(self.seeds.lowerBound) to \(self.seeds.upperBound) pass"
                )
            }
        }
        return complaints
    }

    /// Runs it under all seeds, some side by side.
    package func result() async -> ScenarioResult {
        await withTaskGroup(of: (Scenario, ScenarioOutcome).self) { group in
            var result = ScenarioResult(of: self.file, in: .simulated)
            guard result.obstacle == nil else { return result }
            for seed in self.seeds {
                group.addTask {
                    let scenario = self.file.scenario(seed: seed)
                    return (scenario, self.run(scenario).run())
                }
            }
            for await (scenario, outcome) in group { result.add(outcome, of: scenario) }
            return result
        }
    }

    /// The same with a bug planted.
    package func planting(_ bug: String) -> ScenarioTrial {
        var file = self.file
        file.flaws.append(bug)
        return ScenarioTrial(
            file: file,
            invariants: self.invariants,
            services: self.services,
            seeds: self.seeds,
            test: self.test
        )
    }

    /// Runs seed after seed until a promise is broken; nil where none is.
    package func firstFailure() async -> ScenarioOutcome? {
        for seed in self.seeds {
            let scenario = self.file.scenario(seed: seed)
            let outcome = self.run(scenario).run()
            if outcome.failure(of: scenario) != nil { return outcome }
            await Task.yield()
        }
        return nil
    }

    private func run(_ scenario: Scenario, listens: Bool = false) -> ScenarioRun {
        let catalogue = self.services.reduce(ServiceCatalogue.linked) { $1.add($0) }
        return ScenarioRun(
            scenario,
            services: catalogue,
            invariants: self.invariants,
            listens: listens
        )
    }

    /// The first failure in full: witness, story, and how to see it again.
    private func complaint(about result: ScenarioResult) -> String {
        let failures = result.failures
        guard let first = failures.first else { return "" }
        let scenario = self.file.scenario(seed: first.seed)
        let run = self.run(scenario, listens: true)
        let outcome = run.run()
        var lines = ["\(self.file.name): \(failures.count) of \(result.runs.count) seeds failed"]
        if let story = FailureStory(of: run, outcome) {
            lines.append(story.text)
        } else if let failure = first.failure {
            lines.append("seed \(first.seed): \(failure.invariant): \(failure.summary)")
        }
        if self.invariants.isEmpty, self.services.isEmpty {
            do {
                let root = "\(Package.root)/.squall/runs"
                let name = try ScenarioFolder.save(scenario, outcome, in: root)
                lines.append("squall replay \(root)/\(name)")
            } catch {
                lines.append("it could not be kept: \(error.message)")
            }
        }
        lines.append("SQUALL_SEED=\(first.seed) swift test --filter \"\(self.test)\"")
        return lines.joined(separator: "\n")
    }
}
