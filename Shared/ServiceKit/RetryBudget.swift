import Mesh

/// Keeps retries a small share of what an outside party is asked, by a bucket of tokens.
///
/// Each first attempt puts a share of a token into the bucket, each retry takes a whole one out;
/// a few a second come for nothing, so that the last requests are tried again when no new ones
/// come. Where a party is slow for a moment, retries then cannot keep it down for good.
struct RetryBudget: Sendable {
    /// The share of first attempts that may be followed by a retry.
    private let share: Ratio
    /// What is in the bucket, in thousandths of a token.
    private var balance = Self.most
    /// When the bucket was last filled for nothing.
    private var filled: Instant?

    /// What the bucket holds at most, in thousandths of a token.
    private static let most: Int64 = 10_000

    /// How many tokens a second come for nothing.
    private static let forNothing: Int64 = 5

    init(share: Ratio) {
        self.share = share
    }

    /// Returns whether an attempt may be made now, and counts it.
    mutating func allows(attempt: Int, now: Instant) -> Bool {
        // A token a second is a thousandth a millisecond.
        let gained = (now - (self.filled ?? now)).inMilliseconds * Self.forNothing
        if gained > 0 || self.filled == nil { self.filled = now }
        self.balance = min(Self.most, self.balance + max(0, gained))
        guard attempt > 1 else {
            let gain = 1000 * self.share.numerator / self.share.denominator
            self.balance = min(Self.most, self.balance + gain)
            return true
        }
        guard self.balance >= 1000 else { return false }
        self.balance -= 1000
        return true
    }
}

/// How the actors of an instance call outside parties: what a service's settings say of it.
final class CallPolicy: @unchecked Sendable {
    // Confined to the executor of the instance, like the actors that call.

    /// The settings that it reads, of every service.
    static let settings = ["callTimeout", "retryBudget"]

    /// How long a caller waits for an answer.
    let timeout: Duration
    private let share: Ratio?
    private var budgets: [String: RetryBudget] = [:]
    private let isFlawed: Bool

    /// Reads `callTimeout` and `retryBudget`; problems go to `report`.
    init(settings json: JSONValue, flaws: Flaws, report: (String) -> Void) {
        var settings = Settings(json)
        self.timeout = settings.duration("callTimeout", default: .seconds(2))
        let isLimited = json["retryBudget"] != nil
        self.share = isLimited ? settings.ratio("retryBudget", default: .one) : nil
        self.isFlawed = flaws.has(.retryBudgetIgnored)
        settings.ignore((json.object ?? []).map(\.name))
        for problem in settings.problems() { report(problem) }
    }

    /// Returns whether a party may be asked now: always the first time.
    func allows(_ party: String, attempt: Int, now: Instant) -> Bool {
        guard let share, !self.isFlawed else { return true }
        return self.budgets[party, default: RetryBudget(share: share)]
            .allows(attempt: attempt, now: now)
    }
}
