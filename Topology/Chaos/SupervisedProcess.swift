import Mesh

/// One process as the supervisor sees it.
struct SupervisedProcess: Sendable, Hashable {
    enum State: Sendable, Hashable {
        /// Not started yet, or ended for good.
        case stopped
        /// The owner was asked to start it.
        case spawning
        case starting(pid: Int32)
        case ready(pid: Int32)
        case backingOff(until: Instant)
        case gaveUp
        /// Asked to end; to be killed at `killAt`.
        case stopping(pid: Int32, killAt: Instant)

        var pid: Int32? {
            switch self {
            case .starting(let pid), .ready(let pid), .stopping(let pid, _):
                return pid

            case .stopped, .spawning, .backingOff, .gaveUp:
                return nil
            }
        }
    }

    /// What follows an end that was asked for while the topology goes on.
    enum AfterEnd: Sendable, Hashable {
        case restart
        case remove
    }

    enum Next {
        case nothing
        case restart(after: Duration)
        case giveUp(ends: Int, within: Duration)
    }

    let plan: ProcessPlan
    private(set) var since = Instant.zero
    var state = State.stopped
    var isPaused = false
    var wasStarted = false
    private(set) var wasReady = false
    var restarts = 0
    /// When it was killed by command; nil once its end was noticed.
    var killedAt: Instant?
    /// Until when it stays down once it has ended, because somebody wants to see that.
    var downUntil = Instant.zero
    /// Why it was asked to end; nil where it was not, or once it has ended.
    var afterEnd: AfterEnd?
    /// From when on it does not serve.
    private var downSince: Instant?
    private var spawnedAt = Instant.zero
    private var earlyEnds: [Instant] = []
    private var earlyEndsInRow = 0
    private var lastExit: ProcessEnd?
    private var lastLines: [String] = []
    private var readyAfter: Duration?
    private var noticedAfter: Duration?
    private var servingAfter: Duration?

    init(plan: ProcessPlan) {
        self.plan = plan
    }

    /// Whether there is a process, or will be at once.
    var isAlive: Bool {
        if case .spawning = self.state { return true }
        return self.state.pid != nil
    }

    var deadline: Instant? {
        switch self.state {
        case .backingOff(let until):
            return until

        case .stopping(_, let killAt):
            return killAt == .distantFuture ? nil : killAt

        default:
            return nil
        }
    }

    mutating func enter(_ state: State, now: Instant) {
        self.state = state
        self.since = now
        if case .spawning = state { self.spawnedAt = now }
    }

    mutating func nowReady(pid: Int32, now: Instant) -> SupervisorReport {
        self.enter(.ready(pid: pid), now: now)
        self.wasReady = true
        let after = now - self.spawnedAt
        self.readyAfter = after
        let serving = self.downSince.map { now - $0 }
        if let serving { self.servingAfter = serving }
        self.downSince = nil
        return .ready(self.plan.name, pid: pid, after: after, servingAfter: serving)
    }

    /// Notes an end; returns how long after a kill by command it was noticed.
    mutating func nowEnded(
        _ end: ProcessEnd,
        lastLines: [String],
        now: Instant
    ) -> Duration? {
        self.lastExit = end
        self.lastLines = lastLines
        self.isPaused = false
        self.downSince = self.killedAt ?? self.downSince ?? now
        let noticed = self.killedAt.map { now - $0 }
        if let noticed { self.noticedAfter = noticed }
        self.killedAt = nil
        return noticed
    }

    /// Decides what follows an end; to be asked while the state is still the one it ended in.
    mutating func whatNext(after end: ProcessEnd, wasPlanned: Bool, now: Instant) -> Next {
        if wasPlanned { return .restart(after: .zero) }
        let policy = self.plan.restart
        switch policy.condition {
        case .always:
            break

        case .onFailure:
            if end == .exited(code: 0) { return .nothing }

        case .never:
            return .nothing
        }
        if case .ready = self.state, now - self.since >= policy.settledAfter {
            self.forgetFailures()
            return .restart(after: .zero)
        }
        self.earlyEnds.append(now)
        self.earlyEnds.removeAll { now - $0 > policy.crashLoopWithin }
        self.earlyEndsInRow += 1
        if self.earlyEnds.count >= policy.crashLoopCount {
            let within = now - (self.earlyEnds.first ?? now)
            return .giveUp(ends: self.earlyEnds.count, within: within)
        }
        var delay = policy.backoffMin
        for _ in 1..<self.earlyEndsInRow where delay < policy.backoffMax { delay *= 2 }
        return .restart(after: min(delay, policy.backoffMax))
    }

    mutating func forgetFailures() {
        self.earlyEnds = []
        self.earlyEndsInRow = 0
    }

    var status: SupervisedStatus {
        SupervisedStatus(
            name: self.plan.name,
            pid: self.state.pid,
            state: self.visibleState,
            since: self.since,
            restarts: self.restarts,
            lastExit: self.lastExit,
            lastLines: self.lastLines,
            readyAfter: self.readyAfter,
            noticedAfter: self.noticedAfter,
            servingAfter: self.servingAfter
        )
    }

    private var visibleState: SupervisedStatus.State {
        if self.isPaused { return .paused }
        switch self.state {
        case .stopped:
            return .stopped

        case .spawning, .starting:
            return .starting

        case .ready:
            // Killed, and its end was not noticed yet.
            return self.killedAt == nil ? .ready : .stopping

        case .backingOff:
            return .backingOff

        case .gaveUp:
            return .crashLoop

        case .stopping:
            return .stopping
        }
    }
}
