import Chaos
import Mesh

/// A process of the simulated world: it starts, dies and starts again.
protocol SimulatedProcess: AnyObject {
    var name: String { get }
    var isUp: Bool { get }
    /// How far its clock is ahead of the others'.
    var skew: Duration { get set }
    /// Called when it can do its work.
    var onReady: () -> Void { get set }
    /// Called when it ends of its own accord.
    var onExit: (ProcessEnd) -> Void { get set }
    func start()
    func kill()
    /// Stands still; what arrives meanwhile waits.
    func pause()
    /// Goes on where it stood still.
    func resume()
    /// Brings what it has in hand to an end that can wait, since it is to stop.
    func drain()
    /// What a handler does that waits although nothing is under way for it; nil where none does.
    var waitsForNothing: Escape? { get }
}

extension SimulatedProcess {
    func drain() {}
    var waitsForNothing: Escape? { nil }
}

/// Keeps what a process would do while it stands still, in its order.
struct Standstill {
    enum Reason { case stopped, syncing }

    private var reasons: Set<Reason> = []
    private var waiting: [() -> Void] = []

    var isStill: Bool { !self.reasons.isEmpty }

    /// Begins, or goes on for one more reason; `first` is what is done before all that waits.
    mutating func begin(_ reason: Reason, first: (() -> Void)? = nil) {
        self.reasons.insert(reason)
        if let first { self.waiting.insert(first, at: 0) }
    }

    mutating func wait(_ action: @escaping () -> Void) { self.waiting.append(action) }

    /// Ends for one reason; returns what is to be done now.
    mutating func end(_ reason: Reason) -> [() -> Void] {
        self.reasons.remove(reason)
        guard self.reasons.isEmpty else { return [] }
        defer { self.waiting = [] }
        return self.waiting
    }
}
