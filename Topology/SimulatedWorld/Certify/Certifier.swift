import Chaos
import Mesh

/// Tries every single fault at every place of a run, and every pair that is not like another.
///
/// The order of everything is that of the run: two certificates of the same build are equal.
package struct Certifier: Sendable {
    package let scenario: Scenario

    /// What came of a certificate.
    package struct Result: Sendable {
        /// How many were tried.
        package var tried = 0
        /// How many they stand for.
        package var all = 0
        /// Those that broke a promise, in their order.
        package var broken: [Broken] = []

        package init() {}
    }

    /// Faults that break a promise.
    package struct Broken: Sendable {
        /// The numbers of the placements, from 1, by which they are asked for again.
        package var numbers: [Int]
        package var placements: [Placement]
        package var failure: ScenarioOutcome.Failure
    }

    /// Prepares the certificate of a scenario; its own faults and operations are left out.
    package init(_ scenario: Scenario) {
        var scenario = scenario
        scenario.faults = []
        scenario.origins = []
        scenario.operations = []
        scenario.atLeast = .zero
        // Two delays in a row have to fit.
        scenario.convergesWithin = max(
            scenario.convergesWithin,
            PlacedRun.patience(scenario.topology) * 4
        )
        self.scenario = scenario
    }

    /// The run without any fault.
    package func goodRun() -> PlacedRun { PlacedRun(self.scenario, []) }

    /// Runs it with faults, each placed in the run with those before it.
    package func run(_ placements: [Placement], listens: Bool = false) -> PlacedRun {
        PlacedRun(self.scenario, placements, listens: listens)
    }

    /// Returns what came of trying each of `placements` alone.
    package func singles(
        _ placements: [Placement],
        _ failures: [ScenarioOutcome.Failure?]
    ) -> Result {
        var result = Result()
        (result.tried, result.all) = (placements.count, placements.count)
        for (index, failure) in failures.enumerated() {
            guard let failure else { continue }
            result.broken.append(
                Broken(numbers: [index + 1], placements: [placements[index]], failure: failure)
            )
        }
        return result
    }

    /// Tries every distinct second fault after one of `placements`, which `stands` for so many.
    package func pairs(_ placements: [Placement], _ first: Int, stands: Int) -> Result {
        let one = placements[first]
        let run = self.run([one])
        var result = Result()
        for (index, seconds) in Self.distinct(run.placements, after: one) {
            let two = run.placements[index]
            result.tried += 1
            result.all += stands * seconds
            guard let failure = self.run([one, two]).outcome.failure else { continue }
            result.broken.append(
                Broken(numbers: [first + 1, index + 1], placements: [one, two], failure: failure)
            )
        }
        return result
    }

    /// The placements of a run that stand for all, a fault's kind being hit about the same subject
    /// as before, or about another one.
    ///
    /// What happens to two subjects is alike where the same kind of fault hits the same kind of
    /// message, so the first of each kind stands for the rest; the subject of an earlier fault is
    /// told apart from all others.
    package static func distinct(
        _ placements: [Placement],
        after earlier: Placement? = nil
    ) -> [(index: Int, stands: Int)] {
        var places: [[String]: Int] = [:]
        var found: [(index: Int, stands: Int)] = []
        for (index, placement) in placements.enumerated() {
            if let earlier {
                guard placement.time >= earlier.time else { continue }
                if placement.place == earlier.place, placement.deed == earlier.deed { continue }
            }
            let relation = earlier.map { $0.subject == placement.subject ? "same" : "other" }
            let key = [placement.kind, relation ?? ""]
            if let place = places[key] {
                found[place].stands += 1
            } else {
                places[key] = found.count
                found.append((index, 1))
            }
        }
        return found
    }
}
