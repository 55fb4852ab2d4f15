import Mesh

/// Decides when what was published and has no answer is sent again: it, or the answer to it, may
/// be lost on a bad link.
///
/// Pure; it waits ever longer while nothing at all is answered.
package struct AnswerWatch: Sendable {
    private static let waitMin = Duration.seconds(1)
    private static let waitMax = Duration.seconds(8)

    private var wait = Self.waitMin
    private var answeredBefore: Int?

    package init() {}

    /// Something was sent.
    ///
    /// - Parameters:
    ///   - answered: How many answers came so far.
    ///   - open: How many are to come.
    /// - Returns: after what time ``cameDue(answered:open:isConnected:)`` is to be called; nil
    ///   where nothing is open, or that is to come already.
    package mutating func sent(answered: Int, open: Int) -> Duration? {
        guard self.answeredBefore == nil, open > 0 else { return nil }
        self.answeredBefore = answered
        return self.wait
    }

    /// The time is over; returns whether everything open is to be sent again.
    package mutating func cameDue(answered: Int, open: Int, isConnected: Bool) -> Bool {
        let before = self.answeredBefore
        self.answeredBefore = nil
        guard answered == before else {
            self.wait = Self.waitMin
            return false
        }
        guard open > 0, isConnected else { return false }
        self.wait = min(self.wait * 2, Self.waitMax)
        return true
    }
}
