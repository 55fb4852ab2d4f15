import Events
import Mesh
import ServiceKit

/// The bank: one account entry for each idempotency key, and what became of it.
package struct BankMachine: PartyMachine {
    package static let ledgerFile = BankLedger.fileName

    private struct Account: Sendable {
        var outcome: BankAnswer.Outcome
        var amount: Money
    }

    private let declines: Ratio
    private var accounts: [String: Account] = [:]
    private var captured = Money()
    private var refunded = Money()
    private var counts: [BankLedger.Kind: Int] = [:]

    /// Creates a bank that declines that share of the keys, always the same ones.
    package init(declines: Ratio = .zero) {
        self.declines = declines
    }

    /// Creates a bank of its settings: `declines`, a share such as `"5%"`.
    package init(settings: inout Settings) {
        self.init(declines: settings.ratio("declines"))
    }

    package mutating func answer(
        _ request: [UInt8],
        now: Instant
    ) throws(WireError) -> PartyResult<BankLedger.Entry> {
        let request = try BankRequest(decoding: request)
        guard !request.key.isEmpty else { throw WireError("a request to the bank has no key") }
        switch request.kind {
        case .charge: return self.charge(request.key, request.amount, now)
        case .refund: return self.refund(request.key, now)
        case .status: return PartyResult(answer: self.known(request.key).encoded())
        }
    }

    private mutating func charge(
        _ key: String,
        _ amount: Money,
        _ now: Instant
    ) -> PartyResult<BankLedger.Entry> {
        guard self.accounts[key] == nil else {
            return PartyResult(answer: self.known(key).encoded())
        }
        let kind: BankLedger.Kind = self.declines(key, amount) ? .decline : .capture
        return self.enter(kind, key, amount, now)
    }

    private mutating func refund(_ key: String, _ now: Instant) -> PartyResult<BankLedger.Entry> {
        switch self.accounts[key]?.outcome {
        case .captured: self.enter(.refund, key, self.accounts[key]?.amount ?? .zero, now)
        case nil: self.enter(.void, key, .zero, now)
        case .declined, .refunded, .voided, .unknown:
            PartyResult(answer: self.known(key).encoded())
        }
    }

    private mutating func enter(
        _ kind: BankLedger.Kind,
        _ key: String,
        _ amount: Money,
        _ now: Instant
    ) -> PartyResult<BankLedger.Entry> {
        let moved = kind == .capture || kind == .refund
        let entry = BankLedger.Entry(
            kind: kind,
            key: key,
            amount: amount,
            receipt: moved ? Self.receipt(key) : "",
            time: now
        )
        self.recovered(entry)
        let answer = self.known(key, receipt: entry.receipt)
        return PartyResult(answer: answer.encoded(), entries: [entry])
    }

    package static func line(of entry: BankLedger.Entry) -> [UInt8] { LedgerFile.line(entry) }

    package mutating func recovered(_ entry: BankLedger.Entry) {
        let outcome: BankAnswer.Outcome
        switch entry.kind {
        case .capture:
            outcome = .captured
            self.captured += entry.amount
        case .decline: outcome = .declined
        case .refund:
            outcome = .refunded
            self.refunded += entry.amount
        case .void: outcome = .voided
        }
        self.accounts[entry.key] = Account(outcome: outcome, amount: entry.amount)
        self.counts[entry.kind, default: 0] += 1
    }

    /// What became of a key; `receipt` is that of the key, where it is at hand.
    private func known(_ key: String, receipt: String? = nil) -> BankAnswer {
        guard let account = self.accounts[key] else { return BankAnswer() }
        let moved = account.outcome == .captured || account.outcome == .refunded
        return BankAnswer(
            outcome: account.outcome,
            amount: account.amount,
            receipt: moved ? receipt ?? Self.receipt(key) : ""
        )
    }

    /// Whether a key is declined follows from the key alone, in every run and after every crash.
    private func declines(_ key: String, _ amount: Money) -> Bool {
        if amount <= .zero { return true }
        return self.declines.holds(for: StableHash.of(key, seed: 0xBA4C))
    }

    private static func receipt(_ key: String) -> String {
        "receipt-" + Hex.text(StableHash.of(key, seed: 0x5EC7))
    }

    package var summary: JSONValue {
        var members = BankLedger.Kind.allCases.map {
            JSONValue.Member("\($0.rawValue)s", .int(Int64(self.counts[$0] ?? 0)))
        }
        members.append(JSONValue.Member("captured", .int(self.captured.rawValue)))
        members.append(JSONValue.Member("refunded", .int(self.refunded.rawValue)))
        return .object(members)
    }
}
