/// A fault that is armed on a link.
///
/// Rules are leases: whoever armed one heals it, or its end comes; those of the topology file
/// stand for as long as the hub. Each counts how often it bit.
package struct LinkRule: Sendable, Hashable {
    package var number: Int
    /// The producing service or publisher, or `*`.
    package var from: String
    /// The consuming service, `*`, or `hub` for everything between `from` and the hub.
    package var to: String
    package var fault: LinkFault
    /// Whether it stands in the topology file.
    package var isStanding: Bool
    package var bitten = 0
    private var matched: UInt64 = 0
    /// When a throttle lets the next one pass, or until when a hold lasts.
    private var busyUntil = Instant.zero

    package init(number: Int, from: String, to: String, fault: LinkFault, isStanding: Bool) {
        self.number = number
        self.from = from
        self.to = to
        self.fault = fault
        self.isStanding = isStanding
    }

    /// Who takes what passes the link, or the client between which and the hub it is.
    var consumer: String { self.to == "hub" ? self.from : self.to }

    /// Whether it cuts a client off from the hub altogether.
    var isHubCut: Bool { self.fault.kind == .cut && self.to == "hub" }

    /// Returns what becomes of an attempt that stands for those links; nil where it passes.
    mutating func judge(
        _ passages: [Passage],
        _ draw: UInt64,
        _ now: Instant,
        isSealed: Bool
    ) -> RuleChain.Verdict? {
        // Most are about another hop: nothing else of them is looked at.
        for index in passages.indices where passages[index].hop == self.fault.hop {
            guard self.matches(passages[index]) else { continue }
            return self.fault.kind == .corrupt && !isSealed ? nil : self.bite(draw, now)
        }
        return nil
    }

    private func matches(_ passage: Passage) -> Bool {
        guard self.fault.hop == passage.hop else { return false }
        if self.to == "hub" {
            guard !self.isHubCut, self.from == passage.party else { return false }
        } else {
            guard self.from == "*" || self.from == passage.from else { return false }
            guard self.to == "*" || self.to == passage.to else { return false }
        }
        if let type = self.fault.type, type != passage.type { return false }
        if let subject = self.fault.subject, subject != passage.subject { return false }
        return true
    }

    /// Returns what becomes of something that matches; nil where it passes this time.
    private mutating func bite(_ draw: UInt64, _ now: Instant) -> RuleChain.Verdict? {
        if self.fault.kind == .hold, now < self.busyUntil {
            self.bitten += 1
            return .wait(until: self.busyUntil, rule: self.number)
        }
        self.matched += 1
        guard self.matched.isMultiple(of: UInt64(self.fault.every)) else { return nil }
        let own = StableHash.combine(draw, UInt64(self.number))
        guard self.fault.chance.holds(for: own) else { return nil }
        let by = self.fault.by ?? .zero
        let verdict: RuleChain.Verdict
        switch self.fault.kind {
        case .cut: verdict = .hold(rule: self.number)
        case .drop: verdict = .lose(rule: self.number)
        case .duplicate: verdict = .deliverTwice
        case .reorder: verdict = .swap(rule: self.number)
        case .corrupt: verdict = .corrupt(rule: self.number)
        case .hold:
            self.busyUntil = now + by
            verdict = .wait(until: self.busyUntil, rule: self.number)
        case .delay:
            let spread = UInt64(max(0, self.fault.jitter?.inNanoseconds ?? 0))
            let extra = spread == 0 ? 0 : StableHash.combine(own, 1) % (spread + 1)
            let until = now + by + .nanoseconds(Int64(extra))
            verdict = .wait(until: until, rule: self.number)
        case .throttle:
            let start = max(now, self.busyUntil)
            let gap = 1_000_000_000 / Int64(max(1, self.fault.rate ?? 1))
            self.busyUntil = start + .nanoseconds(gap)
            guard start > now else { return nil }
            verdict = .wait(until: start, rule: self.number)
        }
        self.bitten += 1
        return verdict
    }

    /// The rule in words: `cut orders→payments`.
    package var name: String { "\(self.from)→\(self.to) \(self.fault)" }
}

/// What is about to pass one hop of one link.
struct Passage {
    var from: String
    var to: String
    /// Who is at the other end of the connection that it takes.
    var party: String
    var hop: LinkFault.Hop
    var type: String
    var subject: String
}

/// The clients that rules are about.
struct ConcernedClients: Sendable {
    private var names: [String] = []
    private var areAll = false

    var isEmpty: Bool { !self.areAll && self.names.isEmpty }

    func contains(_ name: String) -> Bool { self.areAll || self.names.contains(name) }

    /// Adds one, or all where it is `*`.
    mutating func add(_ name: String) {
        if name == "*" { self.areAll = true } else { self.names.append(name) }
    }
}

/// The armed rules, and what they say of what passes.
package struct RuleChain: Sendable {
    package private(set) var rules: [LinkRule] = []
    /// Whose frames, and the answers to them, have to be looked at.
    private(set) var senders = ConcernedClients()
    /// The deliveries to whom have to be looked at.
    private(set) var receivers = ConcernedClients()
    /// Numbers and hits single attempts.
    var survey: AttemptSurvey? {
        didSet { if (oldValue == nil) != (self.survey == nil) { self.summarize() } }
    }
    /// The number under which ``survey`` holds back what it delays.
    static let surveyRule = 0
    /// Whether anybody asks for the type or the subject of what passes: else they are left empty.
    private(set) var readsTypes = false
    private(set) var readsSubjects = false
    /// Whether clients have to seal what they send, so that a flipped byte is found.
    private(set) var wantsSeals = false
    private var lastNumber = 0

    enum Verdict: Sendable, Hashable {
        case deliver
        case deliverTwice
        /// Keep it back until this rule is healed.
        case hold(rule: Int)
        case wait(until: Instant, rule: Int)
        /// This attempt is lost.
        case lose(rule: Int)
        /// The next one passes first.
        case swap(rule: Int)
        /// A byte of this attempt is flipped.
        case corrupt(rule: Int)
    }

    /// Arms a rule; returns its number.
    mutating func arm(
        from: String,
        to: String,
        _ fault: LinkFault,
        isStanding: Bool = false
    ) -> Int {
        self.lastNumber += 1
        self.rules.append(
            LinkRule(
                number: self.lastNumber,
                from: from,
                to: to,
                fault: fault,
                isStanding: isStanding
            )
        )
        self.summarize()
        return self.lastNumber
    }

    /// Heals the rules that `isHealed` picks and returns them.
    mutating func heal(where isHealed: (LinkRule) -> Bool) -> [LinkRule] {
        let healed = self.rules.filter(isHealed)
        self.rules.removeAll(where: isHealed)
        self.summarize()
        return healed
    }

    private mutating func summarize() {
        self.senders = ConcernedClients()
        self.receivers = ConcernedClients()
        if self.survey != nil {
            self.senders.add("*")
            self.receivers.add("*")
        }
        for rule in self.rules where !rule.isHubCut {
            switch rule.fault.hop {
            case .delivery: self.receivers.add(rule.consumer)
            case .publish, .publishAnswer: self.senders.add(rule.from)
            case .commit, .commitAnswer: self.senders.add(rule.consumer)
            }
        }
        let hops = self.rules.filter { !$0.isHubCut }.map(\.fault)
        self.readsTypes = self.survey != nil || hops.contains { $0.type != nil }
        self.readsSubjects = self.survey != nil || hops.contains { $0.subject != nil }
        self.wantsSeals = hops.contains {
            $0.kind == .corrupt && ($0.hop == .publish || $0.hop == .commit)
        }
    }

    /// Whether this very link is cut already, at this hop.
    func isCut(from: String, to: String, hop: LinkFault.Hop = .delivery) -> Bool {
        self.rules.contains {
            $0.fault.kind == .cut && $0.from == from && $0.to == to && $0.fault.hop == hop
        }
    }

    func isArmed(_ number: Int) -> Bool {
        number == Self.surveyRule
            ? self.survey != nil : self.rules.contains { $0.number == number }
    }

    mutating func bit(where isBiting: (LinkRule) -> Bool) {
        for index in self.rules.indices where isBiting(self.rules[index]) {
            self.rules[index].bitten += 1
        }
    }

    /// Judges one attempt: the first rule that matches and bites wins.
    ///
    /// `passages` are all the links that the attempt stands for. `draw` is a number that differs
    /// for each attempt; the same draw gets the same verdict. What is not sealed is not corrupted,
    /// because nobody could tell.
    mutating func judge(
        _ passages: [Passage],
        _ draw: UInt64,
        _ now: Instant,
        isSealed: Bool = true
    ) -> Verdict {
        if let verdict = self.survey?.judge(passages, now), verdict != .deliver { return verdict }
        for index in self.rules.indices {
            let verdict = self.rules[index].judge(passages, draw, now, isSealed: isSealed)
            if let verdict { return verdict }
        }
        return .deliver
    }
}
