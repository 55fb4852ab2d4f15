/// Frames of one direction of a connection that faults hold back, in the order of their arrival.
///
/// What arrives behind a frame that waits, waits too, as on any stream: only `reorder` lets one
/// frame overtake another.
struct HeldFrames {
    struct Held {
        var bytes: [UInt8]
        /// When its wait ends; nil where only healing ends it.
        var due: Instant?
        /// The rule that holds it; nil where it only waits behind another.
        var rule: Int?
    }

    private var queue: [Held] = []
    /// The frame that the next one overtakes.
    private(set) var aside: Held?

    /// More frames or bytes than this are lost, so that a fault costs bounded memory.
    static let countMax = 4096
    static let bytesMax = 2 << 20
    private var bytes = 0

    var isEmpty: Bool { self.queue.isEmpty && self.aside == nil }

    /// Whether nothing has to wait behind another.
    var isQueueEmpty: Bool { self.queue.isEmpty }

    /// When the next frame may come due; nil where nobody knows.
    var nextDue: Instant? {
        [self.queue.first?.due, self.aside?.due].compactMap(\.self).min()
    }

    mutating func append(_ held: Held) {
        guard self.queue.count < Self.countMax, self.bytes < Self.bytesMax else { return }
        self.bytes += held.bytes.count
        self.queue.append(held)
    }

    mutating func putAside(_ held: Held) { self.aside = held }

    mutating func takeAside() -> [UInt8]? {
        defer { self.aside = nil }
        return self.aside?.bytes
    }

    /// Takes the first frame whose wait is over, or whose rule is healed.
    mutating func next(_ now: Instant, isArmed: (Int) -> Bool) -> [UInt8]? {
        if let first = self.queue.first, Self.isOver(first, now, isArmed) {
            let frame = self.queue.removeFirst().bytes
            self.bytes -= frame.count
            return frame
        }
        guard let aside = self.aside, Self.isOver(aside, now, isArmed) else { return nil }
        return self.takeAside()
    }

    private static func isOver(_ held: Held, _ now: Instant, _ isArmed: (Int) -> Bool) -> Bool {
        if let rule = held.rule, !isArmed(rule) { return true }
        return held.due.map { $0 <= now } ?? (held.rule == nil)
    }
}
