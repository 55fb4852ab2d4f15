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
        case "slow":
            let delay = try self.duration(words.operands[1], words)
            return .slow(words.operands[0], by: delay, for: duration)
        case "cut": return .cut(from: words.operands[0], to: words.operands[1], for: duration)
        case "fault": return try self.partyFault(words, for: duration)
        case "heal": return .heal
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
