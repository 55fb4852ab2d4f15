import Mesh

/// Which events of one topic partition a service has done with.
///
/// Remembers only what lies between the first event not handled yet and the newest one.
struct DeliveryWindow: Sendable, Hashable {
    enum Step: Hashable {
        case inOrder
        /// An earlier event of the same subject is not handled yet.
        case before(UInt64)
        case again
        case neverPublished
    }

    private static let handledMark: UInt64 = .max
    private static let forgottenMark: UInt64 = 0

    /// Everything below this offset is handled.
    private(set) var floor: UInt64 = 0
    private var isOpen = false
    /// From the floor on, the hash of each event's subject, or a mark.
    private var pending: [UInt64] = []
    private var first = 0
    /// How many events are not handled.
    private(set) var unhandledCount = 0

    /// The offset after the newest event.
    var end: UInt64 { self.floor + UInt64(self.pending.count - self.first) }

    /// The first event not handled.
    var firstUnhandled: UInt64? { self.unhandledCount > 0 ? self.floor : nil }

    mutating func published(_ offset: UInt64, subject: UInt64) {
        // No topic gets this long; the sums below must not overflow.
        guard offset < 1 << 62 else { return }
        if !self.isOpen {
            self.isOpen = true
            self.floor = offset
        }
        // A gap or a repeat in a topic is for another invariant to report.
        if offset < self.end || offset - self.end > 1_000_000 { return }
        while self.end < offset { self.pending.append(Self.handledMark) }
        let hash = subject == Self.handledMark || subject == Self.forgottenMark ? 1 : subject
        self.pending.append(hash)
        self.unhandledCount += 1
        self.advance()
    }

    mutating func handled(_ offset: UInt64) -> Step {
        guard self.isOpen, offset < self.end else { return .neverPublished }
        guard offset >= self.floor else { return .again }
        let index = self.first + Int(offset - self.floor)
        let subject = self.pending[index]
        if subject == Self.handledMark { return .again }
        var step = Step.inOrder
        if subject != Self.forgottenMark, index > self.first,
            let earlier = self.pending[self.first..<index].firstIndex(of: subject)
        {
            step = .before(self.floor + UInt64(earlier - self.first))
        }
        self.pending[index] = Self.handledMark
        self.unhandledCount -= 1
        if index == self.first { self.advance() }
        return step
    }

    /// From `offset` on, everything is to be handled again; what lies before is done with.
    mutating func rewound(to offset: UInt64) {
        guard self.isOpen else { return }
        let offset = min(offset, self.end)
        var rest = Array(self.pending[self.first...])
        if offset < self.floor {
            let count = Int(clamping: self.floor - offset)
            rest.insert(contentsOf: repeatElement(Self.forgottenMark, count: count), at: 0)
        } else {
            rest.removeFirst(Int(offset - self.floor))
        }
        self.pending = rest.map { $0 == Self.handledMark ? Self.forgottenMark : $0 }
        self.first = 0
        self.floor = offset
        self.unhandledCount = rest.count
    }

    private mutating func advance() {
        while self.first < self.pending.count, self.pending[self.first] == Self.handledMark {
            self.first += 1
            self.floor += 1
        }
        if self.first == self.pending.count {
            self.pending.removeAll(keepingCapacity: self.pending.count < 4096)
            self.first = 0
        } else if self.first > 4096, self.first > self.pending.count / 2 {
            self.pending.removeFirst(self.first)
            self.first = 0
        }
    }
}
