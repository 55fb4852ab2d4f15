import Chaos
import Mesh

/// Finds the few faults, operations and orders that suffice to break the same promise.
package struct Shrinker {
    /// The smallest scenario so far.
    package private(set) var scenario: Scenario
    package private(set) var outcome: ScenarioOutcome
    /// How many scenarios were run.
    package private(set) var runs = 0
    private let invariant: String
    private let onProgress: (Scenario, Int) -> Void

    /// Creates a shrinker of a scenario that fails as `outcome` says.
    package init?(
        _ scenario: Scenario,
        _ outcome: ScenarioOutcome,
        onProgress: @escaping (Scenario, Int) -> Void = { _, _ in }
    ) {
        guard let failure = outcome.failure else { return nil }
        self.scenario = scenario
        self.outcome = outcome
        self.invariant = failure.invariant
        self.onProgress = onProgress
    }

    /// Shrinks as far as it goes: faults, then orders, then faults again with other chances.
    package mutating func shrink() {
        // Those of the file are not told apart any more.
        self.scenario.origins = []
        var withoutFaults = self.scenario
        withoutFaults.faults = []
        if !self.keep(withoutFaults, tries: 1) { self.shrinkFaults(tries: 1) }
        self.shrinkOperations()
        self.shrinkOrders()
        self.shrinkFaults(tries: 3)
        self.shrinkOrders()
    }

    /// Leaves out at once what had not bitten when the promise was broken.
    private mutating func leaveOutIdle(tries: Int) {
        while true {
            let faults = self.scenario.faults
            var candidate = self.scenario
            candidate.faults = zip(faults, self.outcome.bitten).filter { $1 > 0 }.map(\.0)
            guard candidate.faults.count < faults.count, self.keep(candidate, tries: tries)
            else { return }
        }
    }

    /// Leaves out each operation that the failure does not need; there are but a few.
    private mutating func shrinkOperations() {
        for index in self.scenario.operations.indices.reversed() {
            var candidate = self.scenario
            candidate.operations.remove(at: index)
            _ = self.keep(candidate, tries: 3)
        }
    }

    /// Delta debugging: leaves out ever smaller parts of the faults.
    private mutating func shrinkFaults(tries: Int) {
        self.leaveOutIdle(tries: tries)
        var parts = 2
        while !self.scenario.faults.isEmpty {
            let faults = self.scenario.faults
            parts = min(parts, faults.count)
            let size = (faults.count + parts - 1) / parts
            var found = false
            for start in stride(from: 0, to: faults.count, by: size) {
                let part = start..<min(start + size, faults.count)
                var candidate = self.scenario
                candidate.faults = Array(faults[part])
                if faults.count > 1, part.count < faults.count, self.keep(candidate, tries: tries) {
                    found = true
                    parts = 2
                    break
                }
                candidate.faults = faults
                candidate.faults.removeSubrange(part)
                if self.keep(candidate, tries: tries) {
                    found = true
                    parts = max(2, parts - 1)
                    break
                }
            }
            if found { continue }
            if size == 1 { return }
            parts = min(faults.count, parts * 2)
        }
    }

    private mutating func shrinkOrders() {
        var step = self.scenario.orders / 2
        while step > 0, self.scenario.orders > 1 {
            var candidate = self.scenario
            candidate.orders -= min(step, candidate.orders - 1)
            if !self.keep(candidate, tries: 1) { step /= 2 }
        }
    }

    /// Takes a smaller scenario where it breaks the same promise, with this seed or a next one.
    private mutating func keep(_ candidate: Scenario, tries: Int) -> Bool {
        for number in 0..<tries {
            var candidate = candidate
            candidate.seed &+= UInt64(number)
            self.runs += 1
            let outcome = ScenarioRun.run(candidate).judged(by: candidate)
            guard outcome.failure?.invariant == self.invariant else { continue }
            self.scenario = candidate
            self.outcome = outcome
            self.onProgress(candidate, self.runs)
            return true
        }
        return false
    }
}
