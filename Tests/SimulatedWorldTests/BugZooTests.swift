import Chaos
import Mesh
import ServiceKit
import SimulatedWorld
import TestSupport
import Testing
import TopologyFile

/// Bugs that a few small runs find; `squall sim --bugs` hunts for all of them.
private let quickBugs: [Flaw] = [
    .chargeWithoutKey, .timeoutMeansDeclined, .errorMeansPaid, .lostCompensation,
    .outOfStockKept, .partialRelease, .stockTimerNeverStopped, .confirmBeforePayment, .oversell,
    .shippedStaysInStock, .reservationsNotRestored, .mailWithoutKey, .emitOutsideTurn,
    .errorSwallowed, .snapshotOneBehind, .placesWithoutFigures, .repeatsHandled,
    .subjectOrderLost, .acknowledgeBeforeCommit, .epochReused, .journalCutShort,
    .gapAcknowledgementsForgotten, .timersEarly, .failureForgotten, .creditLeak, .lostStaysLost,
    .delayOvertaken, .cutNeverHeals, .tornTailKept, .rotCutOff,
]

@Test(arguments: quickBugs)
func `a bug that seeds are run for is found soon, and the seed holds without it`(
    flaw: Flaw
) throws {
    var draw = ScenarioDraw(topology: try shopTopology(), orders: 30, faultCount: 10)
    draw.rots = true
    for seed in UInt64(1)...80 {
        var scenario = draw.scenario(seed: seed)
        scenario.flaws = [flaw.rawValue]
        guard let failure = ScenarioRun.run(scenario).failure(of: scenario) else { continue }
        #expect(!failure.summary.isEmpty)
        scenario.flaws = []
        let correct = ScenarioRun.run(scenario).judged(by: scenario)
        #expect(correct.hasPassed, "seed \(seed): \(correct.failure?.summary ?? "")")
        return
    }
    Issue.record("\(flaw.rawValue) was found by none of 80 seeds")
}

@Test func `every bug says where it sits and what it does, each in its own words`() {
    #expect(Flaw.allCases.count >= 25)
    #expect(Set(Flaw.allCases.map(\.summary)).count == Flaw.allCases.count)
    #expect(Flaw.allCases.allSatisfy { !$0.place.isEmpty })
}
