import Mesh

extension Fault {
    /// How strong a fault is and what exactly it hits; each kind takes only some of them.
    package struct Parameters: Sendable, Hashable {
        /// How much later, longer or ahead; between two kills of a crash loop.
        package var by: Duration?
        /// How much more than ``by``, at most, drawn for each event.
        package var jitter: Duration?
        /// The share that it bites.
        package var chance = Ratio.one
        /// Every n-th is bitten.
        package var every = 1
        /// How many a second still pass.
        package var rate: Int?
        /// Where on its way something goes wrong.
        package var hop = LinkFault.Hop.delivery
        /// The event type it is limited to.
        package var type: String?
        /// The subject it is limited to.
        package var subject: String?
        /// The share of the processor's time that is left.
        package var percent: Int?
        /// How many times as many orders.
        package var times: Int?

        package init(
            by: Duration? = nil,
            jitter: Duration? = nil,
            chance: Ratio = .one,
            every: Int = 1,
            rate: Int? = nil,
            hop: LinkFault.Hop = .delivery,
            type: String? = nil,
            subject: String? = nil,
            percent: Int? = nil,
            times: Int? = nil
        ) {
            self.by = by
            self.jitter = jitter
            self.chance = chance
            self.every = every
            self.rate = rate
            self.hop = hop
            self.type = type
            self.subject = subject
            self.percent = percent
            self.times = times
        }
    }

    /// The keys of parameters in a scenario file.
    package enum Parameter: String, Sendable, Hashable, CaseIterable {
        case by, jitter, chance, every, rate, hop, type, subject, percent, times
    }
}

extension Fault.Kind {
    /// The parameters that it takes.
    package var takes: [Fault.Parameter] {
        if let link {
            let senseless = LinkFault.senselessKeys(for: link)
            return [.by, .jitter, .chance, .every, .rate, .hop, .type, .subject]
                .filter { !senseless.contains($0.rawValue) }
        }
        return switch self {
        case .crashLoop, .clockSkew, .slow, .slowAnswers, .slowSync: [.by]
        case .slowProcessor: [.percent]
        case .down, .timeoutAfter, .answersTwice: [.every]
        case .loadSpike: [.times]
        case .poison: [.type]
        default: []
        }
    }

    /// The parameter that it cannot do without, and what it says.
    package var needs: (parameter: Fault.Parameter, meaning: String)? {
        if let link {
            guard let needed = LinkFault.neededKey(for: link),
                let parameter = Fault.Parameter(rawValue: needed.name)
            else { return nil }
            return (parameter, needed.meaning)
        }
        return switch self {
        case .clockSkew: (.by, "how far ahead the clock is")
        case .slow: (.by, "how much later each event is handled")
        case .slowAnswers: (.by, "how much later each answer comes")
        case .slowSync: (.by, "how much longer each sync takes")
        case .slowProcessor: (.percent, "the share of time that is left")
        case .loadSpike: (.times, "how many times as many orders are placed")
        default: nil
        }
    }
}

extension Fault.Parameters {
    /// What is not as it is by default, as members of a file's object.
    var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let by { members.append(.init("by", .string(by.text))) }
        if let jitter { members.append(.init("jitter", .string(jitter.text))) }
        if self.chance != .one { members.append(.init("chance", Self.json(self.chance))) }
        if self.every != 1 { members.append(.init("every", .int(Int64(self.every)))) }
        if let rate { members.append(.init("rate", .int(Int64(rate)))) }
        if self.hop != .delivery { members.append(.init("hop", .string(self.hop.rawValue))) }
        if let type { members.append(.init("type", .string(type))) }
        if let subject { members.append(.init("subject", .string(subject))) }
        if let percent { members.append(.init("percent", .int(Int64(percent)))) }
        if let times { members.append(.init("times", .int(Int64(times)))) }
        return members
    }

    private static func json(_ ratio: Ratio) -> JSONValue {
        if ratio.description.hasSuffix("%") { return .string(ratio.description) }
        return ["numerator": .int(ratio.numerator), "denominator": .int(ratio.denominator)]
    }

    /// What is not as it is by default, in words.
    func words(for kind: Fault.Kind) -> [String] {
        var words: [String] = []
        if let by { words.append(kind == .crashLoop ? "every \(by.text)" : "by \(by.text)") }
        if let jitter { words.append("+ up to \(jitter.text)") }
        if let percent { words.append("to \(percent)%") }
        if let times { words.append("×\(times)") }
        if let rate { words.append("to \(rate)/s") }
        if self.chance != .one { words.append("\(self.chance)") }
        if self.every > 1 { words.append("every \(self.every)") }
        if let type { words.append("of \(type)") }
        if let subject { words.append("about \(subject)") }
        if self.hop != .delivery { words.append("on \(self.hop.rawValue)") }
        return words
    }
}
