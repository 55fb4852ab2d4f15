import Chaos
import Mesh
import Testing

@Suite struct `A report` {
    private func failed(_ name: String, seed: UInt64) -> ReportRun {
        var run = ReportRun(name: name, world: .simulated, seed: seed, outcome: .failed)
        run.failure = ScenarioOutcome.Failure(
            invariant: "charged-once",
            summary: "order-1 was charged twice",
            witness: [Witness("capture of $70")]
        )
        run.storyTitle = "What happened to order-1:"
        run.story = ["0.1 s ⚡ kill payments-1"]
        run.replay = "squall replay sim-1"
        run.faults = [
            ReportRun.FaultBar(
                text: "kill payments-1",
                lanes: ["payments"],
                begin: .seconds(1),
                end: nil,
                bitten: 1
            ),
            ReportRun.FaultBar(text: "never", lanes: [], begin: nil, end: nil, bitten: 0),
        ]
        return run
    }

    @Test func `a page loads nothing from anywhere`() {
        let page = Report.html(of: [self.failed("x", seed: 1)])
        #expect(page.contains("default-src 'none'"))
        for word in ["http:", "https:", "src=", "@import", "url("] {
            #expect(!page.contains(word), "the page names \(word)")
        }
    }

    @Test func `several runs get a summary with the worst verdict of each scenario and world`() {
        var runs = (1...3).map {
            ReportRun(name: "bank-down", world: .simulated, seed: $0, outcome: .passed)
        }
        runs.append(self.failed("bank-down", seed: 4))
        runs.append(ReportRun(name: "bank-down", world: .real, seed: 1, outcome: .skipped))
        runs.append(ReportRun(name: "calm", world: .simulated, seed: 1, outcome: .unknown))
        let page = Report.html(of: runs)
        #expect(page.contains("<title>FAILED: 3 scenarios, 6 runs</title>"))
        #expect(page.ranges(of: "class=\"row\"").count == 3)
        #expect(page.contains("passed 3: seeds 1-3"))
        #expect(page.contains("<small>1 of 4</small>"))
        #expect(page.contains("1 of 2</td>"), "one of two faults bit")
        #expect(page.ranges(of: "<section class=\"run\"").count == 2, "the failed and the unknown")
        let json = Report.json(of: runs)
        #expect(json["verdict"]?.string == "failed")
        #expect(json["runs"]?.array?.count == 6)
    }
}
