import Chaos
import Mesh

/// All that there is to say about a failed run: the broken promise, its witness, and the story.
package struct FailureStory {
    package let seed: UInt64
    package let failure: ScenarioOutcome.Failure
    /// What ``lines`` are about.
    package let title: String
    /// The causal story in words, the last lines of a long one.
    package let lines: [String]

    private static let linesMax = 60

    /// Tells the story of a run that is over; nil where nothing was broken.
    package init?(of run: ScenarioRun, _ outcome: ScenarioOutcome) {
        guard let failure = outcome.failure else { return nil }
        let story = CausalStory(of: run, failure: failure)
        self.seed = outcome.seed
        self.failure = failure
        self.title = story.title
        self.lines = story.lines.suffix(Self.linesMax)
    }

    /// Runs a scenario again, listening, and tells its story; nil where nothing is broken.
    package init?(runningAgain scenario: Scenario) {
        let run = ScenarioRun(scenario, listens: true)
        let outcome = run.run().judged(by: scenario)
        self.init(of: run, outcome)
    }

    /// The whole story as plain text.
    package var text: String {
        let witness = self.failure.witness.map { "     \($0)" }
        let head = "seed \(self.seed): \(self.failure.invariant): \(self.failure.summary)"
        return ([head] + witness + [self.title] + self.lines.map { "  \($0)" })
            .joined(separator: "\n")
    }
}
