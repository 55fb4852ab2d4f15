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
    private let run: (Scenario) -> ScenarioOutcome
    private let onProgress: (Scenario, Int) -> Void
    /// How many more scenarios may be run; nil for as many as it takes.
    private var runsLeft: Int?

    /// More than this many faults are too many to tell a story with.
    private static let fewFaults = 3
    /// How many runs each search for fewer faults may take, where the shortest way left many.
    private static let triesMax = 240
    private static let waysMax = 600

    /// Creates a shrinker of a scenario that fails as `outcome` says.
    ///
    /// `run` runs a scenario and judges it; `onProgress` is told of each one that still fails, and
    /// how many were run until then.
    package init?(
        _ scenario: Scenario,
        _ outcome: ScenarioOutcome,
        run: @escaping (Scenario) -> ScenarioOutcome = { ScenarioRun.run($0).judged(by: $0) },
        onProgress: @escaping (Scenario, Int) -> Void = { _, _ in }
    ) {
        guard let failure = outcome.failure else { return nil }
        self.scenario = scenario
        self.outcome = outcome
        self.invariant = failure.invariant
        self.run = run
        self.onProgress = onProgress
    }

    /// Shrinks as far as it goes: faults, then orders, then faults again with other chances; then
    /// looks for fewer faults by other ways.
    package mutating func shrink() {
        // Those of the file are not told apart any more.
        self.scenario.origins = []
        let whole = (self.scenario, self.outcome)
        self.shrinkOnce()
        if self.scenario.faults.count > 1 { self.leaveOutByChance(seeds: 12) }
        self.tryAFew(orders: whole.0.orders)
        self.goOtherWays(whole)
        self.tryAFew(orders: whole.0.orders)
    }

    private mutating func shrinkOnce() {
        var withoutFaults = self.scenario
        withoutFaults.faults = []
        if !self.keep(withoutFaults, tries: 1) { self.shrinkFaults(tries: 1) }
        self.shrinkOperations()
        self.shrinkOrders()
        self.shrinkFaults(tries: 3)
        self.shrinkOrders()
    }

    /// Leaves out each fault whose only part may be to change what happens when: with that many
    /// other seeds the failure may come without it.
    private mutating func leaveOutByChance(seeds: Int) {
        let before = self.scenario.faults.count
        var index = 0
        while index < self.scenario.faults.count {
            var candidate = self.scenario
            candidate.faults.remove(at: index)
            if self.keep(candidate, tries: seeds) { index = 0 } else { index += 1 }
        }
        if self.scenario.faults.count < before { self.shrinkOrders() }
    }

    /// Tries one and two of the faults that are left, as they are and stronger, with as many orders
    /// as in the beginning and other seeds: many faults often do no more than let one of them meet
    /// the moment that matters.
    private mutating func tryAFew(orders: Int) {
        let faults = self.scenario.faults
        guard faults.count > Self.fewFaults else { return }
        self.runsLeft = Self.triesMax
        let singles = faults.indices.map { [$0] }
        let pairs = faults.indices.flatMap { second in (0..<second).map { [$0, second] } }
        for chosen in singles + pairs {
            var candidate = self.scenario
            candidate.orders = orders
            candidate.faults = chosen.map { faults[$0] }
            var stronger = candidate
            stronger.faults = candidate.faults.map(\.strengthened)
            guard self.keep(candidate, tries: 3) || self.keep(stronger, tries: 3) else { continue }
            return self.shrinkOrders()
        }
    }

    /// Shrinks the whole scenario again without one fault of what was left: what breaks the promise
    /// in its place may be less.
    ///
    /// What delta debugging leaves needs all of its faults, but need not be the least that
    /// suffices. Other faults are left out first by chance, which leads to other ends.
    private mutating func goOtherWays(_ whole: (Scenario, ScenarioOutcome)) {
        var random = SeededRandom(seed: whole.0.seed).split("shrink")
        self.runsLeft = Self.waysMax
        var tried: Set<Fault> = []
        while self.scenario.faults.count > Self.fewFaults, self.runsLeft != 0 {
            let needed = self.scenario.faults.filter { !tried.contains($0) }
            guard let without = needed.first else { return }
            tried.insert(without)
            var other = self
            (other.scenario, other.outcome) = whole
            var candidate = whole.0
            candidate.faults.removeAll { $0 == without }
            for index in candidate.faults.indices.reversed() {
                candidate.faults.swapAt(index, random.below(index + 1))
            }
            let isOpen = other.keep(candidate, tries: 2)
            if isOpen {
                other.shrinkOnce()
                other.leaveOutByChance(seeds: 4)
            }
            (self.runs, self.runsLeft) = (other.runs, other.runsLeft)
            guard isOpen, other.scenario.faults.count < self.scenario.faults.count else { continue }
            (self.scenario, self.outcome) = (other.scenario, other.outcome)
        }
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
        for number in 0..<tries where self.runsLeft != 0 {
            var candidate = candidate
            candidate.seed &+= UInt64(number)
            self.runs += 1
            self.runsLeft = self.runsLeft.map { $0 - 1 }
            let outcome = self.run(candidate)
            guard outcome.failure?.invariant == self.invariant else { continue }
            self.scenario = candidate
            self.outcome = outcome
            self.onProgress(candidate, self.runs)
            return true
        }
        return false
    }
}

extension Fault {
    /// The fault as one that meets more: it lasts longer and bites all that it can.
    fileprivate var strengthened: Fault {
        var fault = self
        fault.duration = max(self.duration, min(self.duration * 4, Self.patience))
        fault.parameters.every = 1
        fault.parameters.chance = .one
        return fault
    }
}
