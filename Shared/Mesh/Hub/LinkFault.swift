/// What goes wrong on a link, in the words of topology files and of `squall link`.
package struct LinkFault: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// What passes takes longer; what follows it about the same subject waits behind it.
        case delay
        /// An attempt is lost; another follows, because nobody confirmed it.
        case drop
        /// What passes does so twice.
        case duplicate
        /// What passes is overtaken by the next that passes, unless that has the same subject.
        case reorder
        /// A byte is flipped on the way; the receiver's check finds it, so the attempt is lost.
        case corrupt
        /// Everything on the link stands still for a while.
        case hold
        /// Nothing passes until the fault is healed.
        case cut
        /// Only so many pass in a second; the rest queue up.
        case throttle
    }

    /// Where on its way between producer, hub and consumer something goes wrong.
    package enum Hop: String, Sendable, CaseIterable {
        /// From the producer to the hub.
        case publish
        /// The hub's confirmation to the producer.
        case publishAnswer = "publish-answer"
        /// From the hub to the consumer.
        case delivery
        /// The consumer's turn, to the hub.
        case commit
        /// The hub's confirmation to the consumer.
        case commitAnswer = "commit-answer"

        /// The hop by which the hub confirms what came over this one; nil for an answer.
        var answer: Hop? {
            switch self {
            case .publish: .publishAnswer
            case .commit: .commitAnswer
            case .delivery, .publishAnswer, .commitAnswer: nil
            }
        }
    }

    package var kind: Kind
    package var hop = Hop.delivery
    /// The event type it is limited to; nil for all.
    package var type: String?
    /// The subject it is limited to; nil for all.
    package var subject: String?
    /// Every n-th of the events it matches.
    package var every = 1
    /// The share of these that it bites.
    package var chance = Ratio.one
    /// How long `delay` and `hold` last, at least.
    package var by: Duration?
    /// How much longer, at most, drawn for each event.
    package var jitter: Duration?
    /// How many a second `throttle` lets pass.
    package var rate: Int?

    package init(kind: Kind) {
        self.kind = kind
    }

    /// The keys that mean nothing for a kind of fault.
    package static func senselessKeys(for kind: Kind) -> [String] {
        switch kind {
        case .delay: ["rate"]
        case .hold: ["jitter", "rate"]
        case .drop, .duplicate, .reorder, .corrupt: ["by", "jitter", "rate"]
        case .cut: ["type", "subject", "every", "chance", "by", "jitter", "rate"]
        case .throttle: ["every", "chance", "by", "jitter"]
        }
    }

    /// The key that a kind of fault cannot do without, and what it says.
    package static func neededKey(for kind: Kind) -> (name: String, meaning: String)? {
        switch kind {
        case .delay, .hold: ("by", "how long it takes")
        case .throttle: ("rate", "how many pass in a second")
        case .drop, .duplicate, .reorder, .corrupt, .cut: nil
        }
    }
}

extension LinkFault: CustomStringConvertible {
    /// The fault in a few words, such as `delay 20ms every 3rd of orders.placed.v1`.
    package var description: String {
        var words = [self.kind.rawValue]
        if let by = self.by { words.append(by.text) }
        if let jitter = self.jitter { words.append("+ up to \(jitter.text)") }
        if let rate = self.rate { words.append("to \(rate)/s") }
        if self.chance != .one { words.append("\(self.chance)") }
        if self.every > 1 { words.append("every \(Self.ordinal(self.every))") }
        if let type = self.type { words.append("of \(type)") }
        if let subject = self.subject { words.append("about \(Self.printable(subject))") }
        if self.hop != .delivery { words.append("on \(self.hop.rawValue)") }
        return words.joined(separator: " ")
    }

    private static func ordinal(_ number: Int) -> String {
        if (11...13).contains(number % 100) { return "\(number)th" }
        return switch number % 10 {
        case 1: "\(number)st"
        case 2: "\(number)nd"
        case 3: "\(number)rd"
        default: "\(number)th"
        }
    }

    private static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(80) {
            let isControl = scalar.properties.generalCategory == .control
            result.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        return text.unicodeScalars.count > 80 ? result + "…" : result
    }
}

extension LinkFault {
    /// Why a fault cannot be read.
    package struct Unreadable: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
    }

    /// The fault with the keys of a topology file; defaults are left out.
    package var json: JSONValue {
        var members = [JSONValue.Member("kind", .string(self.kind.rawValue))]
        if self.hop != .delivery { members.append(.init("hop", .string(self.hop.rawValue))) }
        if let type = self.type { members.append(.init("type", .string(type))) }
        if let subject = self.subject { members.append(.init("subject", .string(subject))) }
        if self.every != 1 { members.append(.init("every", .int(Int64(self.every)))) }
        if self.chance != .one {
            let parts: JSONValue = [
                "numerator": .int(self.chance.numerator),
                "denominator": .int(self.chance.denominator),
            ]
            members.append(.init("chance", parts))
        }
        if let by = self.by { members.append(.init("by", .string(by.text))) }
        if let jitter = self.jitter { members.append(.init("jitter", .string(jitter.text))) }
        if let rate = self.rate { members.append(.init("rate", .int(Int64(rate)))) }
        return .object(members)
    }

    /// Reads what ``json`` writes.
    package init(json: JSONValue) throws(Unreadable) {
        guard let name = json["kind"]?.string, let kind = Kind(rawValue: name) else {
            let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Unreadable(description: "a fault of a link needs a 'kind': \(known)")
        }
        self.init(kind: kind)
        if let hop = json["hop"]?.string {
            guard let known = Hop(rawValue: hop) else {
                let hops = Hop.allCases.map(\.rawValue).joined(separator: ", ")
                throw Unreadable(description: "'hop' is one of \(hops), not '\(hop)'")
            }
            self.hop = known
        }
        self.type = json["type"]?.string
        self.subject = json["subject"]?.string
        self.every = Int(clamping: max(1, json["every"]?.int ?? 1))
        if let chance = json["chance"] { self.chance = try Self.ratio(chance) }
        self.by = try Self.duration(json, "by")
        self.jitter = try Self.duration(json, "jitter")
        self.rate = json["rate"]?.int.map { Int(clamping: max(1, $0)) }
        if let needed = Self.neededKey(for: kind), json[needed.name] == nil {
            throw Unreadable(
                description: "a \(kind.rawValue) needs '\(needed.name)', \(needed.meaning)"
            )
        }
        for key in Self.senselessKeys(for: kind) where json[key] != nil {
            throw Unreadable(description: "'\(key)' means nothing for a \(kind.rawValue)")
        }
    }

    private static func ratio(_ json: JSONValue) throws(Unreadable) -> Ratio {
        let ratio =
            json.string.flatMap(Ratio.init(text:))
            ?? Ratio(json["numerator"]?.int ?? -1, json["denominator"]?.int ?? 0)
        guard let ratio else { throw Unreadable(description: "'chance' is a share such as 5%") }
        return ratio
    }

    private static func duration(
        _ json: JSONValue,
        _ key: String
    ) throws(Unreadable) -> Duration? {
        guard let value = json[key] else { return nil }
        guard let duration = value.string.flatMap(Duration.init(text:)) else {
            throw Unreadable(description: "'\(key)' is a duration such as 20ms")
        }
        return duration
    }
}
