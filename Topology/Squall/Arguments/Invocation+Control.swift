import Mesh
import RealWorld
import TopologyFile

extension Invocation {
    /// Understands the commands that a running topology carries out.
    static func control(_ words: inout Words) throws(UsageError) -> ControlRequest {
        var trailing = try words.takeTrailingDuration()
        if trailing != nil, !words.specification.options.contains(where: { $0.name == "for" }) {
            throw words.error("it takes no duration")
        }
        if trailing == nil { trailing = words.value("for") }
        let name = words.specification.name
        if name == "pause", let text = words.operand(1) {
            guard trailing == nil else { throw words.error("the duration is given twice") }
            trailing = text
        }
        var duration: Duration?
        if let trailing { duration = try self.duration(trailing, words) }
        switch name {
        case "kill": return .kill(words.operands[0])
        case "pause": return .pause(words.operands[0], for: duration)
        case "resume": return .resume(words.operands[0])
        case "slow": return try self.slow(words, for: duration)
        case "crash-loop": return .crashLoop(words.operands[0], for: duration)
        case "link":
            let fault = try self.linkFault(words)
            return .link(from: words.operands[0], to: words.operands[1], fault, for: duration)
        case "cut": return .cut(from: words.operands[0], to: words.operands[1], for: duration)
        case "fault": return try self.partyFault(words, for: duration)
        case "heal": return .heal(try self.faultNumber(words))
        case "load": return try self.load(words, for: duration)
        case "scale":
            guard let count = Int(words.operands[1]), (0...1_000_000).contains(count) else {
                throw words.error("'\(words.operands[1])' is no number of instances")
            }
            return .scale(words.operands[0], to: count)
        case "restart": return .restart(words.operands[0])
        case "roll": return .roll(words.operands[0])
        default: preconditionFailure("the command '\(name)' is listed but not understood")
        }
    }

    private static func slow(
        _ words: Words,
        for duration: Duration?
    ) throws(UsageError) -> ControlRequest {
        let name = words.operands[0]
        switch (words.operand(1), words.value("cpu")) {
        case (let delay?, nil):
            return .slow(name, by: try self.duration(delay, words), for: duration)
        case (nil, let text?):
            guard text.hasSuffix("%"), let percent = Int(text.dropLast()),
                (1...99).contains(percent)
            else { throw words.error("--cpu is a share from 1% to 99%, not '\(text)'") }
            return .slowProcessor(name, percent: percent, for: duration)
        case (nil, nil): throw words.error("by how much? squall slow \(name) 200ms")
        case (_?, _?): throw words.error("a delay and --cpu exclude each other")
        }
    }

    private static func faultNumber(_ words: Words) throws(UsageError) -> Int? {
        guard let text = words.operand(0) else { return nil }
        guard let number = Int(text), number > 0 else {
            throw words.error("'\(text)' is no number of a fault; see 'squall ps'")
        }
        return number
    }

    private static func linkFault(_ words: Words) throws(UsageError) -> LinkFault {
        let text = words.operands[2]
        let kinds = LinkFault.Kind.allCases.map(\.rawValue)
        guard let kind = LinkFault.Kind(rawValue: text) else {
            throw words.error(
                "unknown kind '\(text)'"
                    + (Suggestion.closest(to: text, among: kinds).map { "; did you mean '\($0)'?" }
                        ?? "; there are \(kinds.joined(separator: ", "))")
            )
        }
        var fault = LinkFault(kind: kind)
        fault.hop = try self.choice(words, "hop", LinkFault.Hop.self) ?? .delivery
        fault.type = words.value("type")
        fault.subject = words.value("subject")
        fault.every = try self.number(words, "every", in: 1...1_000_000_000) ?? 1
        if let text = words.value("chance") {
            guard let chance = Ratio(text: text) else {
                throw words.error("--chance is a share such as 5%, not '\(text)'")
            }
            fault.chance = chance
        }
        fault.by = try self.duration(words, "by")
        fault.jitter = try self.duration(words, "jitter")
        fault.rate = try self.number(words, "rate", in: 1...1_000_000_000)
        if let needed = LinkFault.neededKey(for: kind), !words.has(needed.name) {
            throw words.error("a \(text) needs --\(needed.name), \(needed.meaning)")
        }
        for key in LinkFault.senselessKeys(for: kind) where words.has(key) {
            throw words.error("--\(key) means nothing for a \(text)")
        }
        return fault
    }

    private static func partyFault(
        _ words: Words,
        for duration: Duration?
    ) throws(UsageError) -> ControlRequest {
        let text = words.operands[1]
        guard let kind = ControlRequest.PartyFaultKind(rawValue: text) else {
            let names = ControlRequest.PartyFaultKind.allCases.map(\.rawValue)
            let closest = Suggestion.closest(to: text, among: names)
            throw words.error(
                "unknown kind '\(text)'"
                    + (closest.map { "; did you mean '\($0)'?" }
                        ?? "; there are \(names.joined(separator: ", "))")
            )
        }
        return .party(words.operands[0], kind, for: duration)
    }

    private static func load(
        _ words: Words,
        for duration: Duration?
    ) throws(UsageError) -> ControlRequest {
        let first = words.operands[0]
        if first == "rate" {
            guard let text = words.operand(1), let rate = Int(text),
                (0...1_000_000).contains(rate)
            else {
                throw words.error("'rate' is followed by orders a second, from 0 to 1000000")
            }
            return .rate(rate, for: duration)
        }
        guard words.operands.count == 1 else {
            throw words.error("unexpected '\(words.operands[1])': squall load x10 for 5s")
        }
        guard first.hasPrefix("x"), let times = Int(first.dropFirst()), (1...1000).contains(times)
        else {
            throw words.error("'\(first)' is no load; write x2 to x1000, or 'rate 500'")
        }
        return .load(times: times, for: duration)
    }
}
