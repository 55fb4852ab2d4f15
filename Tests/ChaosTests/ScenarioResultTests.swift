import Chaos
import Mesh
import Testing
import TopologyFile

@Suite struct `What came of a scenario over its seeds` {
    private func file() -> ScenarioFile {
        var file = ScenarioFile(name: "test", topology: Self.topology, orders: 10)
        let span = Span(.seconds(1))
        file.faults = [
            WrittenFault(.kill, ["hub"], .at(span)), WrittenFault(.poison, [], .at(span)),
        ]
        return file
    }

    private static let topology: Topology = {
        let text = #"{name: "t", services: {a: {command: ["a"]}}, topics: {}, links: []}"#
        do { return try Topology.parse(text, file: "t.json") } catch { fatalError("\(error)") }
    }()

    /// A run in which each fault bit as often as said.
    private func outcome(
        seed: UInt64,
        bitten: [Int] = [1, 1],
        outcome: Finding = .held("all"),
        isVacuous: Bool = false
    ) -> ScenarioOutcome {
        let check = Verdict.Check(name: "promise", promise: "it is kept", finding: outcome)
        var result = ScenarioOutcome(world: .simulated, seed: seed)
        result.verdict = Verdict(checks: [check], counts: RunCounts(), isVacuous: isVacuous)
        result.bitten = bitten
        result.hash = seed
        if outcome.outcome == .broken {
            result.failure = .init(invariant: "promise", summary: outcome.summary)
        }
        return result
    }

    private func result(
        of file: ScenarioFile,
        in world: World = .simulated,
        _ outcomes: ScenarioOutcome...
    ) -> ScenarioResult {
        var result = ScenarioResult(of: file, in: world)
        for outcome in outcomes { result.add(outcome, of: file.scenario(seed: outcome.seed)) }
        return result
    }

    @Test func `it passes where every run held and each fault bit under some seed`() {
        let result = self.result(
            of: self.file(),
            self.outcome(seed: 2, bitten: [0, 3]),
            self.outcome(seed: 1, bitten: [1, 0])
        )
        #expect(result.outcome == .passed)
        #expect(result.bitten == [1, 3])
        #expect(result.runs.map(\.seed) == [1, 2])
        #expect(result.doubts == [])
    }

    @Test func `a fault that bit under no seed leaves it unknown, by name`() {
        let result = self.result(
            of: self.file(),
            self.outcome(seed: 1, bitten: [1, 0]),
            self.outcome(seed: 2, bitten: [1, 0])
        )
        #expect(result.outcome == .unknown)
        #expect(result.doubts == ["never bit: poison * at 1s"])
    }

    @Test func `a broken promise counts more than any doubt`() {
        let result = self.result(
            of: self.file(),
            self.outcome(seed: 2, bitten: [0, 0], outcome: .broken("it was not kept")),
            self.outcome(seed: 1, bitten: [0, 0])
        )
        #expect(result.outcome == .failed)
        #expect(result.failures.map(\.seed) == [2])
    }

    @Test func `an operation that did not come to its end leaves it unknown`() {
        var file = self.file()
        file.operations = [Operation(.roll, "a", .at(.seconds(2)))]
        var done = self.outcome(seed: 1)
        done.done = [true]
        var undone = self.outcome(seed: 2)
        undone.done = [false]
        #expect(self.result(of: file, done).outcome == .passed)
        let result = self.result(of: file, done, undone, self.outcome(seed: 3))
        #expect(result.outcome == .unknown)
        #expect(result.doubts == ["2 of 3 seeds: did not come to its end: roll a at 2s"])
    }

    @Test func `a run in which nothing was judged leaves it unknown`() {
        let vacuous = self.result(of: self.file(), self.outcome(seed: 1, isVacuous: true))
        #expect(vacuous.doubts == ["nothing was judged: no order ended"])
        let missing = self.outcome(seed: 1, outcome: .unknown("a ledger is missing"))
        let unjudged = self.result(of: self.file(), missing)
        #expect(unjudged.doubts == ["promise: a ledger is missing"])
        #expect(self.result(of: self.file()).outcome == .unknown)
    }

    @Test func `what a world cannot do is skipped there, with the reason`() {
        var file = self.file()
        file.worlds = [.simulated]
        let result = self.result(of: file, in: .real)
        #expect(result.outcome == .skipped)
        #expect(result.obstacle == "the file says it is for the simulated world")
    }

    @Test func `the same runs give the same result in whatever order they come`() {
        let one = self.result(
            of: self.file(),
            self.outcome(seed: 1),
            self.outcome(seed: 2, outcome: .broken("no"))
        )
        let two = self.result(
            of: self.file(),
            self.outcome(seed: 2, outcome: .broken("no")),
            self.outcome(seed: 1)
        )
        #expect(one.json == two.json)
        #expect(one.hash == two.hash)
    }

    @Test func `a fault as it was written is told with its targets and spans`() {
        var fault = WrittenFault(.delay, ["orders"], .at(Span(.milliseconds(100) ... .seconds(3))))
        fault.consumers = ["payments", "inventory"]
        fault.way = .both
        fault.by = Span(.milliseconds(20))
        fault.duration = Span(.seconds(1))
        #expect(
            fault.description
                == "delay orders↔payments, inventory by 20ms at 100ms..3s for 1s"
        )
    }
}
