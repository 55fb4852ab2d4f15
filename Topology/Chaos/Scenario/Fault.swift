import Mesh

/// One thing that goes wrong: what, to whom, when, for how long.
///
/// A value with a stable name, so that a schedule of faults can be saved, run again and shrunk.
package struct Fault: Sendable, Hashable {
    /// What goes wrong.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A process dies at once, with the power: what was not synced is lost. It starts again.
        case kill
        /// A process stands still.
        case pause
        /// A service handles each event that much later.
        case slow
        /// Nothing passes a link.
        case cut
        /// Each delivery over a link waits.
        case delay
        /// Some deliveries over a link are lost, and tried again later.
        case drop
        /// Some deliveries over a link are made twice.
        case duplicate
        /// An outside party hangs up on every request.
        case down
        /// An outside party answers late.
        case slowAnswers = "slow-answers"
        /// An outside party does what it is asked and never answers.
        case timeoutAfter = "timeout-after"
        /// An outside party answers every request twice.
        case answersTwice = "answers-twice"
        /// The hub's disk fails one sync; what it covered may be lost.
        case failedSync = "failed-sync"

        /// What it is done to.
        package var aim: Aim {
            switch self {
            case .kill, .pause, .failedSync: .process
            case .slow: .service
            case .cut, .delay, .drop, .duplicate: .link
            case .down, .slowAnswers, .timeoutAfter, .answersTwice: .party
            }
        }
    }

    /// What a fault can be done to.
    package enum Aim: Sendable, Hashable { case process, service, link, party }

    /// When a fault begins.
    package enum Trigger: Sendable, Hashable {
        /// That long after the start.
        case at(Duration)
        /// That long after an event has become durable.
        case after(EventName, Duration)
    }

    /// An event named by what it is, so that the name holds in other runs.
    package struct EventName: Sendable, Hashable, CustomStringConvertible {
        /// Which one of its kind, from 1.
        package var number: Int
        package var type: String
        /// Who emits it.
        package var source: String

        package init(number: Int, type: String, source: String) {
            self.number = number
            self.type = type
            self.source = source
        }

        /// The name in words: `the 3rd payments.captured.v1 from payments`.
        package var description: String {
            "the \(Self.ordinal(self.number)) \(self.type) from \(self.source)"
        }

        private static func ordinal(_ number: Int) -> String {
            switch (number % 100, number % 10) {
            case (11...13, _): "\(number)th"
            case (_, 1): "\(number)st"
            case (_, 2): "\(number)nd"
            case (_, 3): "\(number)rd"
            default: "\(number)th"
            }
        }
    }

    package var kind: Kind
    /// The process, service or party; the producing end of a link.
    package var target: String
    /// The consuming end of a link; empty for all others.
    package var to = ""
    package var trigger: Trigger
    /// How long until it heals; for a kill, until the process starts again.
    package var duration: Duration
    /// Milliseconds for what slows down or delays, thousandths for drop and duplicate, and for an
    /// outside party which requests it hits: every so manieth.
    package var amount = 0

    package init(_ kind: Kind, _ target: String, _ trigger: Trigger, for duration: Duration) {
        self.kind = kind
        self.target = target
        self.trigger = trigger
        self.duration = duration
    }

    /// What it is done to, in words.
    package var place: String {
        self.kind.aim == .link ? "\(self.target)→\(self.to)" : self.target
    }

    /// What it does, without when.
    package var deed: String {
        switch self.kind {
        case .slow, .delay, .slowAnswers:
            "\(self.kind.rawValue) \(self.place) by \(self.amount)ms"
        case .drop, .duplicate: "\(self.kind.rawValue) \(self.amount)‰ \(self.place)"
        case .down, .timeoutAfter, .answersTwice:
            "\(self.place) \(self.kind.rawValue)"
                + (self.amount > 1 ? " every \(self.amount)" : "")
        case .kill, .pause, .cut: "\(self.kind.rawValue) \(self.place)"
        case .failedSync: "\(self.kind.rawValue) of \(self.place)"
        }
    }
}

extension Fault: CustomStringConvertible {
    /// The fault in words: `kill payments-1 after the 3rd payments.requested.v1 from orders`.
    package var description: String {
        let begin =
            switch self.trigger {
            case .at(let time): "at \(time.text)"
            case .after(let event, let time):
                (time > .zero ? "\(time.text) " : "") + "after \(event)"
            }
        return "\(self.deed) \(begin) for \(self.duration.text)"
    }
}
