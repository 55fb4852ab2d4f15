import Chaos
import Mesh
import OutsideParties
import ServiceKit
import TopologyFile

/// A run with faults at exact places, and all places at which a further one could be put.
///
/// Its scenario has no faults of its own. The same placements always give the same run.
package struct PlacedRun {
    /// The run itself, for telling its story.
    package let run: ScenarioRun
    package let outcome: ScenarioOutcome
    /// Where faults can be put, in the order of time.
    package let placements: [Placement]

    /// Runs a scenario with faults at these places of it; one that `listens` keeps what services
    /// complain about.
    package init(_ scenario: Scenario, _ placements: [Placement], listens: Bool = false) {
        let run = ScenarioRun(scenario, listens: listens)
        self.run = run
        let stage = PlacedFaults(run.shop, placements, patience: Self.patience(scenario.topology))
        self.outcome = run.run()
        self.placements = stage.survey.placements(stage.attempts)
    }

    /// Longer than anything in the topology waits.
    package static func patience(_ topology: Topology) -> Duration {
        var longest = Duration.seconds(10)
        for service in topology.services {
            for setting in service.settings.object ?? [] {
                guard let time = setting.value.string.flatMap({ Duration(text: $0) }) else {
                    continue
                }
                longest = max(longest, time)
            }
        }
        return longest + .seconds(1)
    }
}

/// Puts faults at exact places of a simulated shop, without disturbing what comes before.
private final class PlacedFaults {
    let survey: PlaceSurvey
    private unowned let shop: SimulatedShop
    private let patience: Duration
    private static let downFor = Duration.milliseconds(20)

    init(_ shop: SimulatedShop, _ placements: [Placement], patience: Duration) {
        self.shop = shop
        self.patience = patience
        self.survey = PlaceSurvey(layout: shop.layout)
        shop.simulation.survey = self.survey
        var attempts = AttemptSurvey()
        for placement in placements {
            switch placement.place {
            case .attempt(let number):
                attempts.deeds[number] = self.linkFault(placement.deed)
            case .process(let process, let time, let isAfter):
                shop.simulation.exactly(at: time, isAfter: isAfter) { [unowned self] in
                    self.hit(process, placement.deed)
                }
            case .request(let party, let time):
                shop.simulation.exactly(at: time, isAfter: false) { [unowned self] in
                    self.hit(party, placement.deed, at: time)
                }
            }
        }
        shop.hub.survey = attempts
    }

    var attempts: [AttemptSurvey.Attempt] { self.shop.hub.survey?.attempts ?? [] }

    private func linkFault(_ deed: Placement.Deed) -> LinkFault {
        var fault = LinkFault(
            kind: deed == .drop ? .drop : deed == .duplicate ? .duplicate : .delay
        )
        if fault.kind == .delay { fault.by = self.patience }
        return fault
    }

    private func hit(_ process: String, _ deed: Placement.Deed) {
        if deed == .pause {
            self.shop.pause(process, for: self.patience)
        } else {
            self.shop.kill(process, downFor: Self.downFor)
        }
    }

    private func hit(_ party: String, _ deed: Placement.Deed, at time: Instant) {
        let fault: PartyFault =
            switch deed {
            case .duplicate: .answersTwice
            case .delay: .slow(self.patience)
            case .drop, .crash, .pause: .timeoutAfter
            }
        self.shop.arm(party, .init(fault, until: time + .nanoseconds(1)))
    }
}
