import Chaos
import Events
import Mesh

/// Where two runs that should be equal part: the first event that differs.
package struct RunDifference: Sendable, Hashable {
    /// Which event it is, from 1.
    package var number: Int
    /// The event of each run; nil where that run has no more.
    package var left: String?
    package var right: String?

    /// Compares the events of two runs, in order; nil where they are equal.
    package init?(_ left: [String], _ right: [String]) {
        let count = max(left.count, right.count)
        let index = (0..<count).first { index in
            index >= left.count || index >= right.count || left[index] != right[index]
        }
        guard let index else { return nil }
        self.number = index + 1
        self.left = index < left.count ? left[index] : nil
        self.right = index < right.count ? right[index] : nil
    }
}

extension ScenarioRun {
    /// Runs a scenario twice; returns the first event that differs, nil where the runs are equal.
    ///
    /// Finds what depends on addresses, such as the order of a `Set`, and what a run leaves behind
    /// for the next. What is the same within a process, `squall sim --verify` finds in another.
    package static func difference(
        _ scenario: Scenario,
        services: ServiceCatalogue = .linked,
        publications: [Publication] = []
    ) -> RunDifference? {
        // The first world stays until the second is over, so that nothing lies where it lay before.
        let worlds = (0..<2).map { _ in
            ScenarioRun(scenario, services: services, publications: publications)
        }
        let hashes = worlds.map { $0.run().hash }
        if hashes[0] == hashes[1] { return nil }
        let events = worlds.map { world in
            world.records().flatMap(\.events).map { CloudEvent.json($0.event).text }
        }
        let whole = hashes.map { "run hash \(Hex.text($0))" }
        return RunDifference(events[0], events[1]) ?? RunDifference([whole[0]], [whole[1]])
    }
}
