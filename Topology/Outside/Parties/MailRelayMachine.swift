import Events
import Mesh

/// The mail relay: sends one message for each idempotency key, and says which it sent.
package struct MailRelayMachine: PartyMachine {
    package static let ledgerFile = MailLedger.fileName

    private var sent: Set<String> = []

    package init() {}

    package mutating func answer(
        _ request: [UInt8],
        now: Instant
    ) throws(WireError) -> PartyResult<MailLedger.Entry> {
        let request = try MailRequest(decoding: request)
        guard !request.key.isEmpty else { throw WireError("a message has no key") }
        switch request.kind {
        case .send where !self.sent.contains(request.key):
            let entry = MailLedger.Entry(
                key: request.key,
                customer: request.customer,
                text: request.text,
                message: Self.message(request.key),
                time: now
            )
            self.recovered(entry)
            let answer = MailAnswer(outcome: .sent, message: entry.message)
            return PartyResult(answer: answer.encoded(), entries: [entry])

        case .send, .status:
            return PartyResult(answer: self.known(request.key).encoded())
        }
    }

    package static func line(of entry: MailLedger.Entry) -> [UInt8] { LedgerFile.line(entry) }

    package mutating func recovered(_ entry: MailLedger.Entry) {
        self.sent.insert(entry.key)
    }

    private func known(_ key: String) -> MailAnswer {
        guard self.sent.contains(key) else { return MailAnswer() }
        return MailAnswer(outcome: .sent, message: Self.message(key))
    }

    private static func message(_ key: String) -> String {
        "message-" + Hex.text(StableHash.of(key, seed: 0x3A11))
    }

    package var summary: JSONValue { ["messages": .int(Int64(self.sent.count))] }
}
