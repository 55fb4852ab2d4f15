import Mesh

/// One thing that goes wrong with an outside party.
package enum PartyFault: Sendable, Hashable, CustomStringConvertible {
    /// It hangs up on every request and does nothing.
    case down
    /// It does what it is asked, and answers that much later.
    case slow(Duration)
    /// It does what it is asked, and never answers.
    case timeoutAfter
    /// It answers every request twice.
    case answersTwice

    /// The fault's name on the command line and in files.
    package var name: String {
        switch self {
        case .down: "down"
        case .slow: "slow"
        case .timeoutAfter: "timeout-after"
        case .answersTwice: "answers-twice"
        }
    }

    /// All names, in the order of the faults.
    package static let names = ["down", "slow", "timeout-after", "answers-twice"]

    /// Returns the fault of that name; `delay` is for the slow one.
    package init?(name: String, delay: Duration?) {
        switch (name, delay) {
        case ("down", nil): self = .down
        case ("timeout-after", nil): self = .timeoutAfter
        case ("answers-twice", nil): self = .answersTwice
        case ("slow", let delay?): self = .slow(delay)
        default: return nil
        }
    }

    package var description: String {
        if case .slow(let delay) = self { return "slow by \(delay.inMilliseconds) ms" }
        return self.name
    }
}

/// The faults armed at an outside party, with how often each bit; at most one of each name.
package struct PartyFaults: Sendable, Hashable {
    /// A fault, how often and how long it bites, and how often it did.
    package struct Armed: Sendable, Hashable {
        package var fault: PartyFault
        /// It bites each request whose number since it was armed is a multiple of this.
        package var every: Int
        /// When it ends by itself.
        package var until: Instant
        package var seen = 0
        package var bitten = 0

        package init(_ fault: PartyFault, every: Int = 1, until: Instant = .distantFuture) {
            self.fault = fault
            self.every = every
            self.until = until
        }
    }

    /// What the faults do to one request.
    package struct Effect: Sendable, Hashable {
        package var hangsUp = false
        package var delay = Duration.zero
        package var withholds = false
        package var copies = 1
    }

    /// In the order in which they were armed; those whose time is over stay until they heal.
    package private(set) var armed: [Armed] = []

    package init() {}

    /// Arms a fault, in place of one of the same name.
    package mutating func arm(_ fault: Armed) {
        self.armed.removeAll { $0.fault.name == fault.fault.name }
        self.armed.append(fault)
    }

    /// Ends the fault of that name.
    package mutating func disarm(_ name: String) {
        self.armed.removeAll { $0.fault.name == name }
    }

    /// Ends all faults and returns them with how often they bit.
    package mutating func heal() -> [Armed] {
        let healed = self.armed
        self.armed = []
        return healed
    }

    /// Returns what a request that arrives now suffers, and counts it.
    package mutating func requestArrived(now: Instant) -> Effect {
        var effect = Effect()
        for index in self.armed.indices where now < self.armed[index].until {
            self.armed[index].seen += 1
            guard self.armed[index].seen % self.armed[index].every == 0 else { continue }
            self.armed[index].bitten += 1
            switch self.armed[index].fault {
            case .down: effect.hangsUp = true
            case .slow(let delay): effect.delay = delay
            case .timeoutAfter: effect.withholds = true
            case .answersTwice: effect.copies = 2
            }
        }
        return effect
    }
}
