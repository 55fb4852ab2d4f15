import Mesh
import TopologyFile

/// One thing that goes wrong: what, to whom, when, for how long.
///
/// A value with a stable name, so that a schedule of faults can be saved, run again and shrunk.
package struct Fault: Sendable, Hashable {
    /// What goes wrong.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A process dies at once. Without a duration it is started again as always; with one, it
        /// stays dead that long.
        case kill
        /// A process is killed again and again.
        case crashLoop = "crash-loop"
        /// A process stands still.
        case pause
        /// A process has only a share of the processor's time.
        case slowProcessor = "slow-cpu"
        /// A process's clock is ahead of the others'.
        case clockSkew = "clock-skew"
        /// A service handles each event that much later.
        case slow

        /// Nothing passes a link.
        case cut
        /// What passes a link takes longer.
        case delay
        /// Attempts over a link are lost, and made again later.
        case drop
        /// What passes a link does so twice.
        case duplicate
        /// What passes a link is overtaken by what follows, unless that has the same subject.
        case reorder
        /// A byte is flipped on the way, so that the attempt is lost.
        case corrupt
        /// Everything on a link stands still for a while.
        case hold
        /// Only so many a second pass a link.
        case throttle

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
        /// Each sync of the hub's disk takes longer.
        case slowSync = "slow-sync"
        /// The hub's disk has no room.
        case diskFull = "disk-full"
        /// The power fails in the middle of a write to the hub's log.
        case tornWrite = "torn-write"
        /// A bit of the hub's log flips on the disk.
        case bitRot = "bit-rot"

        /// So many times as many orders are placed.
        case loadSpike = "load-spike"
        /// An event is published whose data no service can read.
        case poison

        /// What it is done to.
        package var aim: Aim {
            switch self {
            case .kill, .crashLoop, .pause, .slowProcessor, .clockSkew: .process
            case .slow: .service
            case .cut, .delay, .drop, .duplicate, .reorder, .corrupt, .hold, .throttle: .link
            case .down, .slowAnswers, .timeoutAfter, .answersTwice: .party
            case .failedSync, .slowSync, .diskFull, .tornWrite, .bitRot: .disk
            case .loadSpike, .poison: .load
            }
        }

        /// Whether it happens once and is over, and so has no duration.
        package var isMomentary: Bool {
            switch self {
            case .failedSync, .tornWrite, .bitRot, .poison: true
            default: false
            }
        }

        /// Whether it lasts, and bites only what comes along meanwhile: then it can wait for that.
        package var waitsForBites: Bool {
            switch self.aim {
            case .link, .party, .service: true
            case .disk: !self.isMomentary
            case .process, .load: false
            }
        }

        /// The link fault that it is; nil where it is none.
        package var link: LinkFault.Kind? {
            switch self {
            case .cut: .cut
            case .delay: .delay
            case .drop: .drop
            case .duplicate: .duplicate
            case .reorder: .reorder
            case .corrupt: .corrupt
            case .hold: .hold
            case .throttle: .throttle
            default: nil
            }
        }

        /// What outside parties call it; nil where it is none of theirs.
        package var partyName: String? {
            guard self.aim == .party else { return nil }
            return self == .slowAnswers ? "slow" : self.rawValue
        }
    }

    /// What a fault can be done to.
    package enum Aim: Sendable, Hashable { case process, service, link, party, disk, load }

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
    /// The process, service or party, `hub` for its disk; the producing end of a link; the
    /// publisher of a load.
    package var target: String
    /// The consuming end of a link; empty for all others.
    package var to = ""
    package var trigger: Trigger
    /// How long until it heals, counted from when it is surely armed; zero for what happens once,
    /// and for a kill after which the process starts again as always.
    package var duration: Duration
    /// It goes on until it has bitten so often, it or another of its ``part``.
    package var untilBitten = 0
    /// How long it lasts at most for that; nil for ten seconds more than its duration.
    package var atMost: Duration?
    /// The written fault that it is a part of, where that is done to several at once.
    package var part: Int?
    /// How strong it is and what exactly it hits.
    package var parameters = Parameters()

    package init(
        _ kind: Kind,
        _ target: String,
        to: String = "",
        _ trigger: Trigger,
        for duration: Duration,
        _ parameters: Parameters = Parameters()
    ) {
        self.kind = kind
        self.target = target
        self.to = to
        self.trigger = trigger
        self.duration = duration
        self.parameters = parameters
    }

    /// Whether it has an end of its own.
    package var lasts: Bool { self.duration > .zero || self.untilBitten > 0 }

    /// How long it lasts at most.
    package var longest: Duration {
        guard self.untilBitten > 0 else { return self.duration }
        return max(self.duration, self.atMost ?? self.duration + Self.patience)
    }

    /// How long a fault waits for something to bite, where nobody says.
    package static let patience = Duration.seconds(10)

    /// How long it lasts, in words behind the rest; empty for what happens once.
    package var lasting: String {
        let time = self.duration > .zero ? self.duration.text : ""
        return Self.lasting(time, untilBitten: self.untilBitten, atMost: self.atMost)
    }

    static func lasting(_ time: String, untilBitten: Int, atMost: Duration?) -> String {
        var words = time.isEmpty ? "" : " for \(time)"
        // Once is what everybody expects.
        if untilBitten > 1 || untilBitten == 1 && time.isEmpty {
            let times = untilBitten == 1 ? "once" : "\(untilBitten) times"
            words += (time.isEmpty ? "" : " and") + " until it has bitten \(times)"
        }
        if let atMost { words += ", \(atMost.text) at most" }
        return words
    }

    /// What it is done to, in words.
    package var place: String {
        switch self.kind.aim {
        case .link: "\(self.target)→\(self.to)"
        case .disk: "\(self.target)'s disk"
        case .process, .service, .party, .load: self.target
        }
    }

    /// The fault as the hub takes it; nil where it is none of a link.
    package var linkFault: LinkFault? {
        guard let kind = self.kind.link else { return nil }
        var fault = LinkFault(kind: kind)
        fault.hop = self.parameters.hop
        fault.type = self.parameters.type
        fault.subject = self.parameters.subject
        fault.every = self.parameters.every
        fault.chance = self.parameters.chance
        fault.by = self.parameters.by
        fault.jitter = self.parameters.jitter
        fault.rate = self.parameters.rate
        return fault
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
        return "\(self.deed) \(begin)\(self.lasting)"
    }

    /// What it does, without when.
    package var deed: String {
        let strength = self.parameters.words(for: self.kind)
        let tail = strength.isEmpty ? "" : " " + strength.joined(separator: " ")
        return switch self.kind.aim {
        case .party: "\(self.place) \(self.kind.rawValue)\(tail)"
        case .process, .service, .link, .disk, .load:
            "\(self.kind.rawValue) \(self.place)\(tail)"
        }
    }
}
