import Mesh

/// What a report tells of one run, whichever world it ran in.
///
/// All times are counted from the start of the run.
package struct ReportRun: Sendable, Hashable {
    package typealias Outcome = ScenarioResult.Outcome

    /// A fault: to whom, from when to when, and how often it bit.
    package struct FaultBar: Sendable, Hashable {
        package var text: String
        /// What it does, without when; the text where that says no more.
        package var label: String
        /// The lanes that it was done to: one, or both ends of a link.
        package var lanes: [String]
        /// Nil where it never began.
        package var begin: Duration?
        /// When it healed; nil where it lasted to the end of the run.
        package var end: Duration?
        package var bitten: Int

        package init(
            text: String,
            label: String? = nil,
            lanes: [String],
            begin: Duration?,
            end: Duration?,
            bitten: Int
        ) {
            self.text = text
            self.label = label ?? text
            self.lanes = lanes
            self.begin = begin
            self.end = end
            self.bitten = bitten
        }
    }

    /// The scenario's name; runs of one name and world are one row of the summary.
    package var name: String
    package var world: World
    package var seed: UInt64?
    package var outcome: Outcome
    /// One line: what happened, in numbers; for one that was skipped, why.
    package var headline = ""
    /// The promise that was broken, or could not be judged.
    package var failure: ScenarioOutcome.Failure?
    /// Every promise and what was found.
    package var checks: [Verdict.Check] = []
    /// What the story is about: `What happened to order-7:`; empty where there is none.
    package var storyTitle = ""
    /// What led to the failure, one line each.
    package var story: [String] = []
    /// The journey that the story is about; empty where there is none.
    package var journey = ""
    /// The line to copy that runs it again; nil where nothing does.
    package var replay: String?
    package var hash: UInt64?
    /// How much time passed in its world.
    package var elapsed = Duration.zero
    /// How long it took to run; nil where nobody measured.
    package var took: Duration?
    package var faults: [FaultBar] = []
    /// What happened when; nil for a run that is only counted.
    package var timeline: ReportTimeline?

    package init(name: String, world: World, seed: UInt64?, outcome: Outcome) {
        self.name = name
        self.world = world
        self.seed = seed
        self.outcome = outcome
    }

    /// Takes over what a verdict says: outcome, checks, headline and the first broken promise.
    package init(name: String, world: World, seed: UInt64?, verdict: Verdict) {
        self.init(
            name: name,
            world: world,
            seed: seed,
            outcome: Outcome(rawValue: verdict.outcome.rawValue) ?? .unknown
        )
        self.headline = verdict.headline
        self.checks = verdict.checks
        let culprit =
            verdict.checks.first { $0.finding.outcome == .broken }
            ?? verdict.checks.first { $0.finding.outcome == .unknown }
        self.failure = culprit.map {
            ScenarioOutcome.Failure($0.name, $0.finding)
        }
    }
}

/// What happened in a run: events on their way between lanes, and the numbers under them.
package struct ReportTimeline: Sendable, Hashable {
    /// Who does something: a line of the picture.
    package struct Lane: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable {
            case service
            case hub
            /// An outside party; the shoppers are one.
            case party
        }

        package var name: String
        package var kind: Kind
    }

    /// An event from its commit on.
    package struct Event: Sendable, Hashable {
        package var id: EventID
        package var type: String
        package var subject: String
        /// The journey that it belongs to.
        package var journey: String
        /// The lane that it comes from.
        package var lane: Int
        /// When it became durable.
        package var time: Duration
        /// The place of its cause among the events; nil where it has none, or it is not shown.
        package var cause: Int?
        package var topic: String
        package var partition: Int
        package var offset: UInt64
    }

    /// How the way of an event to one service ended.
    package struct Arrival: Sendable, Hashable {
        package enum Kind: Int, Sendable, Hashable {
            case handled
            case deadLettered
            /// The run ended before it was handled.
            case waiting
        }

        /// The place of the event among the events.
        package var event: Int
        /// The lane of the service.
        package var lane: Int
        package var time: Duration
        package var kind: Kind
    }

    /// What an outside party did when a service called it, as its own ledger says.
    package struct Call: Sendable, Hashable {
        package var time: Duration
        /// The lane of the caller; nil where the links don't tell.
        package var from: Int?
        package var lane: Int
        package var text: String
        package var journey: String
    }

    /// Something worth telling that is no event.
    package struct Note: Sendable, Hashable {
        package var time: Duration
        /// Nil where it is about the whole run.
        package var lane: Int?
        package var text: String
    }

    /// How an order went.
    package struct Order: Sendable, Hashable {
        package enum End: Int, Sendable, Hashable {
            case open
            case confirmed
            case cancelled
        }

        package var journey: String
        /// When its shopper meant to place it.
        package var placed: Duration
        /// When its end became durable; nil while it is open.
        package var ended: Duration?
        package var end: End
    }

    /// How many events waited for a service.
    package struct Lag: Sendable, Hashable {
        package var lane: Int
        /// The most in each step.
        package var most: [Int]
    }

    package var lanes: [Lane] = []
    package var events: [Event] = []
    package var arrivals: [Arrival] = []
    package var calls: [Call] = []
    package var notes: [Note] = []
    package var orders: [Order] = []
    /// How long each step of the lag lines is.
    package var lagStep = Duration.zero
    package var lag: [Lag] = []
    package var length = Duration.zero
    /// How many events happened; more than are shown where only some journeys are.
    package var eventCount = 0
    /// One of so many journeys is shown.
    package var sampling = 1

    package init() {}
}
