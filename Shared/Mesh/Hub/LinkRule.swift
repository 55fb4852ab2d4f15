/// A fault on a link: what happens to attempts to deliver over it.
///
/// Rules are leases: whoever armed one heals it, or its end comes. Each counts how often it bit.
package struct LinkRule: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Nothing passes until the rule is healed.
        case cut
        /// Each delivery waits this long first.
        case delay(Duration)
        /// This many of a thousand attempts are lost; each is tried again after a second.
        case drop(perMille: Int)
        /// This many of a thousand deliveries are made twice.
        case duplicate(perMille: Int)
    }

    package var number: Int
    /// The producing service or publisher, or `*`.
    package var from: String
    /// The consuming service, `*`, or `hub` for everything that `from` says to the hub.
    package var to: String
    package var kind: Kind
    package var bitten = 0

    package init(number: Int, from: String, to: String, kind: Kind) {
        self.number = number
        self.from = from
        self.to = to
        self.kind = kind
    }

    package func matches(from: String, to: String) -> Bool {
        (self.from == "*" || self.from == from) && (self.to == "*" || self.to == to)
    }

    /// The rule in words: `cut orders→payments`.
    package var name: String {
        let link = "\(self.from)→\(self.to)"
        return switch self.kind {
        case .cut: "cut \(link)"
        case .delay(let duration): "delay \(link) by \(duration.inMilliseconds) ms"
        case .drop(let share): "drop \(share)‰ \(link)"
        case .duplicate(let share): "duplicate \(share)‰ \(link)"
        }
    }
}

/// The armed rules, and what they say of one delivery.
package struct RuleChain: Sendable {
    package private(set) var rules: [LinkRule] = []
    private var lastNumber = 0

    package enum Verdict: Sendable, Hashable {
        case deliver
        case deliverTwice
        /// Keep it back until a rule is healed.
        case hold
        case wait(Duration)
        /// This attempt is lost.
        case lose
    }

    package var isEmpty: Bool { self.rules.isEmpty }

    /// Arms a rule; returns its number.
    package mutating func arm(from: String, to: String, _ kind: LinkRule.Kind) -> Int {
        self.lastNumber += 1
        self.rules.append(LinkRule(number: self.lastNumber, from: from, to: to, kind: kind))
        return self.lastNumber
    }

    /// Heals the rules that `isHealed` picks and returns them.
    package mutating func heal(where isHealed: (LinkRule) -> Bool) -> [LinkRule] {
        let healed = self.rules.filter(isHealed)
        self.rules.removeAll(where: isHealed)
        return healed
    }

    package func isCut(from: String, to: String) -> Bool {
        self.rules.contains { $0.kind == .cut && $0.from == from && $0.to == to }
    }

    package mutating func bit(_ number: Int) {
        for index in self.rules.indices where self.rules[index].number == number {
            self.rules[index].bitten += 1
        }
    }

    /// Judges one attempt: the first rule that matches and bites wins.
    ///
    /// `draw` is a number that differs for each attempt; the same draw gets the same verdict.
    package mutating func judge(from: String, to: String, draw: UInt64) -> Verdict {
        for index in self.rules.indices where self.rules[index].matches(from: from, to: to) {
            let share = Int(StableHash.combine(draw, UInt64(self.rules[index].number)) % 1000)
            switch self.rules[index].kind {
            case .cut:
                self.rules[index].bitten += 1
                return .hold
            case .delay(let duration):
                self.rules[index].bitten += 1
                return .wait(duration)
            case .drop(let perMille) where share < perMille:
                self.rules[index].bitten += 1
                return .lose
            case .duplicate(let perMille) where share < perMille:
                self.rules[index].bitten += 1
                return .deliverTwice
            case .drop, .duplicate:
                continue
            }
        }
        return .deliver
    }
}
