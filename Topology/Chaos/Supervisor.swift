import Mesh

/// Decides which process of a topology is started, signalled and given up, and when.
///
/// Pure: it is told what happened and when, and returns what must be done. Processes start stage
/// by stage, each after those before it were ready once, and stop in the reverse order. A process
/// that ends is started again as its policy says; one that keeps ending is given up by name.
/// There are never two of one process.
package struct Supervisor: Sendable, Hashable {
    var processes: [SupervisedProcess]
    private(set) var phase = Phase.idle
    /// How long a process may take to end after it was asked to.
    let grace: Duration

    enum Phase: Sendable {
        case idle
        case running
        case stopping
        case finished
    }

    package init(processes: [ProcessPlan], grace: Duration = .seconds(5)) {
        self.processes = processes.map { SupervisedProcess(plan: $0) }
        self.grace = grace
    }

    // MARK: What is

    /// When ``timePassed(now:)`` must be called next; nil where nothing waits for time.
    package var nextDeadline: Instant? {
        self.processes.compactMap(\.deadline).min()
    }

    /// How each process is, in the order of the plans.
    package var status: [SupervisedStatus] { self.processes.map(\.status) }

    /// Whether every process is ready or was, so that traffic may begin.
    package var isUp: Bool { self.processes.allSatisfy(\.wasReady) }

    // MARK: What happened

    /// The topology shall run: starts the first stage.
    package mutating func startRequested(now: Instant) -> [SupervisorAction] {
        guard self.phase == .idle else { return [] }
        self.phase = .running
        return self.startOpenStages(now: now)
    }

    /// A process was started, as ``SupervisorAction/spawn(_:)`` asked.
    package mutating func spawned(
        _ name: String,
        pid: Int32,
        now: Instant
    ) -> [SupervisorAction] {
        let index = self.index(of: name)
        guard case .spawning = self.processes[index].state else {
            preconditionFailure("\(name) was started without having been asked for")
        }
        self.processes[index].enter(.starting(pid: pid), now: now)
        guard self.phase == .running, self.processes[index].afterEnd == nil else {
            return self.askToEnd(index, pid: pid, now: now)
        }
        return [.report(.started(name, pid: pid))]
    }

    /// A process could not be started; counts as an early end.
    package mutating func spawnFailed(
        _ name: String,
        reason: String,
        now: Instant
    ) -> [SupervisorAction] {
        self.ended(name, .notStarted(reason: reason), lastLines: [], now: now)
    }

    /// A process can do its work; says nothing about one that is on its way out.
    package mutating func becameReady(_ name: String, now: Instant) -> [SupervisorAction] {
        let index = self.index(of: name)
        guard case .starting(let pid) = self.processes[index].state else { return [] }
        let report = self.processes[index].nowReady(pid: pid, now: now)
        guard self.phase == .running else { return [.report(report)] }
        return [.report(report)] + self.startOpenStages(now: now)
    }

    /// A process ended; `lastLines` are the last that it wrote.
    package mutating func exited(
        _ name: String,
        _ end: ProcessEnd,
        lastLines: [String],
        now: Instant
    ) -> [SupervisorAction] {
        self.ended(name, end, lastLines: lastLines, now: now)
    }

    /// Starts what has waited long enough and kills what did not end when asked to.
    package mutating func timePassed(now: Instant) -> [SupervisorAction] {
        var actions: [SupervisorAction] = []
        for index in self.processes.indices {
            switch self.processes[index].state {
            case .backingOff(let until) where until <= now:
                actions += self.spawn(index, now: now)

            case .stopping(let pid, let killAt) where killAt <= now:
                let name = self.processes[index].plan.name
                self.processes[index].state = .stopping(pid: pid, killAt: .distantFuture)
                actions.append(.report(.ignoredRequestToEnd(name, pid: pid)))
                actions.append(.signal(name, pid: pid, .kill))

            default:
                continue
            }
        }
        return actions
    }

    /// The topology shall end: the last stage first, each process asked and, after the grace
    /// period, killed.
    package mutating func stopRequested(now: Instant) -> [SupervisorAction] {
        guard self.phase == .idle || self.phase == .running else { return [] }
        self.phase = .stopping
        for index in self.processes.indices {
            switch self.processes[index].state {
            case .backingOff, .gaveUp:
                self.processes[index].enter(.stopped, now: now)

            default:
                continue
            }
        }
        return self.stopOpenStages(now: now)
    }

    /// The topology shall end at once: kills everything.
    package mutating func abortRequested(now: Instant) -> [SupervisorAction] {
        var actions = self.stopRequested(now: now)
        for index in self.processes.indices {
            guard let pid = self.processes[index].state.pid else { continue }
            let name = self.processes[index].plan.name
            self.processes[index].enter(.stopping(pid: pid, killAt: .distantFuture), now: now)
            actions.append(.signal(name, pid: pid, .kill))
        }
        return actions
    }

    // MARK: Commands

    /// Somebody wants to see a process die: it is started again at once, or `downFor` later.
    ///
    /// That its end was planned keeps it from counting towards a crash loop.
    /// Empty where no such process runs.
    package mutating func killRequested(
        _ name: String,
        _ signal: ProcessSignal = .kill,
        downFor: Duration = .zero,
        now: Instant
    ) -> [SupervisorAction] {
        guard let index = self.runningIndex(of: name), let pid = self.processes[index].state.pid
        else { return [] }
        self.processes[index].killedAt = now
        self.processes[index].downUntil = max(
            self.processes[index].downUntil,
            now + downFor
        )
        var actions: [SupervisorAction] = [.signal(name, pid: pid, signal)]
        if self.processes[index].isPaused, signal == .terminate {
            // A stopped process sees the request only when it goes on.
            self.processes[index].isPaused = false
            actions.append(.signal(name, pid: pid, .resume))
        }
        return actions
    }

    /// A process shall do nothing until it is resumed; empty where no such process runs.
    package mutating func pauseRequested(_ name: String, now: Instant) -> [SupervisorAction] {
        guard let index = self.runningIndex(of: name), let pid = self.processes[index].state.pid,
            !self.processes[index].isPaused
        else { return [] }
        self.processes[index].isPaused = true
        return [.signal(name, pid: pid, .pause)]
    }

    /// A paused process shall go on; empty where it is not paused.
    package mutating func resumeRequested(_ name: String, now: Instant) -> [SupervisorAction] {
        guard let index = self.runningIndex(of: name), let pid = self.processes[index].state.pid,
            self.processes[index].isPaused
        else { return [] }
        self.processes[index].isPaused = false
        return [.signal(name, pid: pid, .resume)]
    }

    /// A process that was given up or ended for good shall be tried again.
    package mutating func reviveRequested(_ name: String, now: Instant) -> [SupervisorAction] {
        guard self.phase == .running,
            let index = self.processes.firstIndex(where: { $0.plan.name == name })
        else { return [] }
        switch self.processes[index].state {
        case .gaveUp, .stopped, .backingOff:
            self.processes[index].forgetFailures()
            return self.spawn(index, now: now)

        default:
            return []
        }
    }

    // MARK: Starting

    /// Starts every process whose earlier stages were all ready once.
    mutating func startOpenStages(now: Instant) -> [SupervisorAction] {
        let waiting = self.processes.filter { !$0.wasReady }.map(\.plan.stage).min() ?? .max
        var actions: [SupervisorAction] = []
        for index in self.processes.indices
        where self.processes[index].plan.stage <= waiting && !self.processes[index].wasStarted {
            actions += self.spawn(index, now: now)
        }
        return actions
    }

    mutating func spawn(_ index: Int, now: Instant) -> [SupervisorAction] {
        self.processes[index].enter(.spawning, now: now)
        self.processes[index].wasStarted = true
        self.processes[index].isPaused = false
        return [.spawn(self.processes[index].plan.name)]
    }

    // MARK: Ending

    private mutating func ended(
        _ name: String,
        _ end: ProcessEnd,
        lastLines: [String],
        now: Instant
    ) -> [SupervisorAction] {
        let index = self.index(of: name)
        let pid = self.processes[index].state.pid
        let afterEnd = self.processes[index].afterEnd
        let wasPlanned =
            self.processes[index].killedAt != nil || afterEnd != nil || self.phase != .running
        let noticed = self.processes[index].nowEnded(end, lastLines: lastLines, now: now)
        var actions: [SupervisorAction] = [
            .report(
                .ended(
                    name,
                    pid: pid,
                    end,
                    wasPlanned: wasPlanned,
                    noticedAfter: noticed,
                    lastLines: lastLines
                )
            )
        ]
        guard self.phase == .running else {
            self.processes[index].enter(.stopped, now: now)
            return actions + self.stopOpenStages(now: now)
        }
        self.processes[index].afterEnd = nil
        if afterEnd == .remove { return actions + self.removed(index, now: now) }
        let heldFor = self.processes[index].downUntil - now
        self.processes[index].downUntil = .zero
        switch self.processes[index].whatNext(after: end, wasPlanned: wasPlanned, now: now) {
        case .nothing:
            self.processes[index].enter(.stopped, now: now)
            actions.append(.report(.stayedDown(name, end)))

        case .giveUp(let ends, let within):
            self.processes[index].enter(.gaveUp, now: now)
            actions.append(
                .report(
                    .gaveUp(name, ends: ends, within: within, last: end, lastLines: lastLines)
                )
            )

        case .restart(let least):
            let delay = max(least, heldFor)
            self.processes[index].restarts += 1
            actions.append(.report(.restarting(name, after: delay)))
            if delay == .zero {
                actions += self.spawn(index, now: now)
            } else {
                self.processes[index].enter(.backingOff(until: now + delay), now: now)
            }
        }
        return actions
    }

    /// Asks the processes of the last stage that still has any to end.
    private mutating func stopOpenStages(now: Instant) -> [SupervisorAction] {
        let alive = self.processes.filter(\.isAlive)
        guard let stage = alive.map(\.plan.stage).max() else {
            guard self.phase != .finished else { return [] }
            self.phase = .finished
            return [.finished]
        }
        var actions: [SupervisorAction] = []
        for index in self.processes.indices where self.processes[index].plan.stage == stage {
            switch self.processes[index].state {
            case .starting(let pid), .ready(let pid):
                actions += self.askToEnd(index, pid: pid, now: now)

            default:
                continue
            }
        }
        return actions
    }

    mutating func askToEnd(
        _ index: Int,
        pid: Int32,
        now: Instant
    ) -> [SupervisorAction] {
        let name = self.processes[index].plan.name
        self.processes[index].enter(.stopping(pid: pid, killAt: now + self.grace), now: now)
        guard self.processes[index].isPaused else { return [.signal(name, pid: pid, .terminate)] }
        self.processes[index].isPaused = false
        return [.signal(name, pid: pid, .terminate), .signal(name, pid: pid, .resume)]
    }

    // MARK: Finding

    private func index(of name: String) -> Int {
        guard let index = self.processes.firstIndex(where: { $0.plan.name == name }) else {
            preconditionFailure("no process is named \(name)")
        }
        return index
    }

    /// The index of a process that may be meddled with: it runs, and the topology does.
    private func runningIndex(of name: String) -> Int? {
        guard self.phase == .running else { return nil }
        return self.processes.firstIndex { process in
            guard process.plan.name == name else { return false }
            switch process.state {
            case .starting, .ready:
                return true

            default:
                return false
            }
        }
    }
}
