import Mesh

/// A scenario that makes no sense, and where.
package struct ScenarioError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { self.message }
}

extension Fault {
    /// The fault as an object of a scenario file.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [.init("fault", .string(self.kind.rawValue))]
        if self.kind.aim == .link {
            members.append(.init("from", .string(self.target)))
            members.append(.init("to", .string(self.to)))
        } else {
            members.append(.init("target", .string(self.target)))
        }
        if let name = Self.amountName(self.kind) {
            members.append(.init(name, .int(Int64(self.amount))))
        }
        switch self.trigger {
        case .at(let time): members.append(.init("at", .string(time.text)))
        case .after(let event, let time):
            members.append(
                .init(
                    "after",
                    [
                        "number": .int(Int64(event.number)),
                        "event": .string(event.type),
                        "from": .string(event.source),
                        "plus": .string(time.text),
                    ]
                )
            )
        }
        members.append(.init("for", .string(self.duration.text)))
        return .object(members)
    }

    /// Reads a fault of a scenario file.
    package init(_ json: JSONValue) throws(ScenarioError) {
        let name = json["fault"]?.string ?? ""
        guard let kind = Kind(rawValue: name) else {
            let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ScenarioError("there is no fault '\(name)'; there are \(names)")
        }
        let isLink = kind.aim == .link
        guard let target = json[isLink ? "from" : "target"]?.string else {
            throw ScenarioError("\(name): it needs '\(isLink ? "from" : "target")'")
        }
        self.init(
            kind,
            target,
            try Self.trigger(json, name),
            for: try Self.duration(json, "for", name)
        )
        if isLink {
            guard let to = json["to"]?.string else { throw ScenarioError("\(name): it needs 'to'") }
            self.to = to
        }
        if let amount = Self.amountName(kind) {
            guard let value = json[amount]?.int, (0...1_000_000).contains(value) else {
                throw ScenarioError("\(name): it needs '\(amount)', a whole number")
            }
            self.amount = Int(value)
        }
    }

    private static func amountName(_ kind: Kind) -> String? {
        switch kind {
        case .slow, .delay, .slowAnswers: "milliseconds"
        case .drop, .duplicate: "perMille"
        case .down, .timeoutAfter, .answersTwice: "every"
        case .kill, .pause, .cut, .failedSync: nil
        }
    }

    private static func trigger(
        _ json: JSONValue,
        _ name: String
    ) throws(ScenarioError) -> Trigger {
        guard let after = json["after"] else { return .at(try Self.duration(json, "at", name)) }
        guard let type = after["event"]?.string, let source = after["from"]?.string,
            let number = after["number"]?.int, number > 0
        else {
            throw ScenarioError("\(name): 'after' needs 'event', 'from' and a 'number' from 1")
        }
        return .after(
            EventName(number: Int(number), type: type, source: source),
            after["plus"] == nil ? .zero : try Self.duration(after, "plus", name)
        )
    }

    private static func duration(
        _ json: JSONValue,
        _ member: String,
        _ name: String
    ) throws(ScenarioError) -> Duration {
        guard let text = json[member]?.string, let duration = Duration(text: text) else {
            throw ScenarioError("\(name): '\(member)' must be a duration such as \"200ms\"")
        }
        return duration
    }
}
