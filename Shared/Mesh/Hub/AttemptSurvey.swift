/// Numbers every attempt on every hop of every link, and does something to chosen ones.
///
/// For whoever wants to try each place at which a run can be hit, one after the other: a first run
/// tells which attempts there are, the next ones hit one each. It changes nothing else.
package struct AttemptSurvey: Sendable {
    /// One attempt to get something over a hop.
    package struct Attempt: Sendable, Hashable {
        package var hop: LinkFault.Hop
        package var from: String
        package var to: String
        package var type: String
        package var subject: String
        /// When the hub judged it.
        package var time: Instant
    }

    /// The attempts so far, in their order.
    package private(set) var attempts: [Attempt] = []
    /// What is done to attempts, by their place in ``attempts``: a drop, a duplicate or a delay.
    package var deeds: [Int: LinkFault] = [:]

    package init() {}

    /// Notes an attempt; returns what becomes of it.
    mutating func judge(_ passages: [Passage], _ now: Instant) -> RuleChain.Verdict {
        guard let first = passages.first else { return .deliver }
        let deed = self.deeds[self.attempts.count]
        self.attempts.append(
            Attempt(
                hop: first.hop,
                from: first.from,
                to: first.to,
                type: first.type,
                subject: first.subject,
                time: now
            )
        )
        switch deed?.kind {
        case .drop: return .lose(rule: RuleChain.surveyRule)
        case .duplicate: return .deliverTwice
        case .delay: return .wait(until: now + (deed?.by ?? .zero), rule: RuleChain.surveyRule)
        default: return .deliver
        }
    }
}

extension Hub {
    /// What numbers and hits single attempts; nil, and without cost, for every run but those that
    /// try each place.
    package var survey: AttemptSurvey? {
        get { self.rules.survey }
        set { self.rules.survey = newValue }
    }
}
