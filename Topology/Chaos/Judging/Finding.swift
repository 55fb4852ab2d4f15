import Mesh

/// What an invariant says of a run.
package struct Finding: Sendable, Hashable {
    /// Whether the promise was kept.
    package enum Outcome: String, Sendable, Hashable {
        case held
        case broken
        /// It could not be told, because something to judge by is missing.
        case unknown
    }

    package var outcome: Outcome
    /// One line: what was counted, or what is wrong.
    package var summary: String
    /// The few facts that prove it; as few as possible, none where it held.
    package var witness: [Witness]

    package init(_ outcome: Outcome, _ summary: String, witness: [Witness] = []) {
        self.outcome = outcome
        self.summary = summary
        self.witness = witness
    }

    /// The promise was kept.
    package static func held(_ summary: String) -> Finding { Finding(.held, summary) }

    /// The promise was broken, as the witness proves.
    package static func broken(_ summary: String, _ witness: Witness...) -> Finding {
        Finding(.broken, summary, witness: witness)
    }

    /// It could not be told.
    package static func unknown(_ summary: String, _ witness: Witness...) -> Finding {
        Finding(.unknown, summary, witness: witness)
    }
}

/// One fact that proves a finding: a record, an event, or a line of a ledger.
package struct Witness: Sendable, Hashable, CustomStringConvertible {
    /// What it says, for a person to read.
    package var text: String
    /// The record in the log, where there is one.
    package var position: UInt64?
    /// The event, where there is one.
    package var event: EventID?

    package init(_ text: String, position: UInt64? = nil, event: EventID? = nil) {
        self.text = text
        self.position = position
        self.event = event
    }

    package var description: String {
        var out = self.text
        if let event { out += "  event \(event)" }
        if let position { out += "  @\(position)" }
        return out
    }

    /// The witness as an object.
    package var json: JSONValue {
        var members = [JSONValue.Member("text", .string(self.text))]
        if let position { members.append(.init("position", .int(Int64(clamping: position)))) }
        if let event { members.append(.init("event", .string(event.description))) }
        return .object(members)
    }
}
