import Chaos
import Mesh

/// Starts, stops and ends the simulated processes as the supervisor says: the launcher of the
/// real world, without processes.
final class SimulatedLauncher {
    private struct Entry {
        var process: any SimulatedProcess
        /// Of the process that runs or is about to; nil where none does.
        var pid: Int32?
        /// Whether it is dead already, and nobody has noticed.
        var isDead = false
    }

    private let simulation: Simulation
    private var supervisor = Supervisor(processes: [])
    private var entries: [String: Entry] = [:]
    private var lastPid: Int32 = 0
    private var random: SeededRandom
    private var timer: Instant?
    private var actions: [SupervisorAction] = []
    private var isPerforming = false
    /// Called with what happened to a process.
    var onReport: (SupervisorReport) -> Void = { _ in }

    init(simulation: Simulation) {
        self.simulation = simulation
        self.random = simulation.random(for: "launcher")
    }

    // MARK: What is wanted

    /// Adds a process; it is started at once where the others run already.
    func add(_ process: any SimulatedProcess, _ plan: ProcessPlan) {
        self.entries[process.name] = Entry(process: process)
        let name = process.name
        process.onReady = { [weak self] in self?.becameReady(name) }
        process.onExit = { [weak self] in self?.died(name, $0) }
        self.perform(self.supervisor.added(plan, now: self.simulation.now))
    }

    /// Starts everything, stage by stage.
    func start() { self.perform(self.supervisor.startRequested(now: self.simulation.now)) }

    /// Kills a process, which is started again at once or `downFor` later; returns whether there
    /// was one.
    func kill(_ name: String, downFor: Duration = .zero) -> Bool {
        self.perform(
            self.supervisor.killRequested(name, downFor: downFor, now: self.simulation.now)
        )
    }

    /// Stops a process in its tracks; returns whether there was one that could be.
    func pause(_ name: String) -> Bool {
        self.perform(self.supervisor.pauseRequested(name, now: self.simulation.now))
    }

    /// Lets a paused process go on; returns whether there was one.
    @discardableResult
    func resume(_ name: String) -> Bool {
        self.perform(self.supervisor.resumeRequested(name, now: self.simulation.now))
    }

    /// Lets a process end in order and start again; returns whether there was one to end.
    func restart(_ name: String) -> Bool {
        let wasRunning = self.entries[name]?.pid != nil
        self.perform(self.supervisor.restartRequested(name, now: self.simulation.now))
        return wasRunning
    }

    /// Lets a process end in order and forgets it, which a report says.
    func retire(_ name: String) {
        self.perform(self.supervisor.retireRequested(name, now: self.simulation.now))
    }

    /// The processes that were given up, or stay down by their policy.
    var givenUp: [String] {
        self.supervisor.status.filter { $0.state == .crashLoop }.map(\.name)
    }

    /// Lets go of everything, for good.
    func end() { self.entries = [:] }

    // MARK: What happens

    @discardableResult
    private func perform(_ actions: [SupervisorAction]) -> Bool {
        self.actions += actions
        guard !self.isPerforming else { return !actions.isEmpty }
        self.isPerforming = true
        var next = 0
        while next < self.actions.count {
            let action = self.actions[next]
            next += 1
            switch action {
            case .spawn(let name): self.actions.insert(contentsOf: self.spawn(name), at: next)
            case .signal(let name, let pid, let signal): self.send(signal, to: name, pid)
            case .report(let report):
                if case .retired(let name) = report { self.entries[name] = nil }
                self.onReport(report)
            case .finished: break
            }
        }
        self.actions = []
        self.isPerforming = false
        self.armTimer()
        return !actions.isEmpty
    }

    /// It takes a moment until a new process does anything.
    private func spawn(_ name: String) -> [SupervisorAction] {
        self.lastPid += 1
        let pid = self.lastPid
        self.entries[name]?.pid = pid
        self.entries[name]?.isDead = false
        let time = Duration.microseconds(200 + self.random.below(2000))
        self.simulation.after(time) { [weak self] in
            guard let self, let entry = self.entries[name], entry.pid == pid, !entry.isDead
            else { return }
            entry.process.start()
        }
        return self.supervisor.spawned(name, pid: pid, now: self.simulation.now)
    }

    private func becameReady(_ name: String) {
        guard self.entries[name] != nil else { return }
        self.perform(self.supervisor.becameReady(name, now: self.simulation.now))
    }

    private func send(_ signal: ProcessSignal, to name: String, _ pid: Int32) {
        guard let entry = self.entries[name], entry.pid == pid, !entry.isDead else { return }
        switch signal {
        case .kill:
            entry.process.kill()
            self.died(name, .signalled(signal: 9, name: "SIGKILL"))
        case .pause: entry.process.pause()
        case .resume: entry.process.resume()
        case .terminate:
            // A stopped process hears of it when it goes on, which it is told next.
            self.simulation.after(.microseconds(100)) { [weak self] in
                guard let self, self.entries[name]?.pid == pid else { return }
                entry.process.drain()
                self.simulation.after(.milliseconds(1)) { [weak self] in
                    guard let self, self.entries[name]?.pid == pid,
                        self.entries[name]?.isDead == false
                    else { return }
                    entry.process.kill()
                    self.died(name, .exited(code: 0))
                }
            }
        }
    }

    /// A process is dead; the kernel says so a moment later.
    private func died(_ name: String, _ end: ProcessEnd) {
        guard let pid = self.entries[name]?.pid else { return }
        self.entries[name]?.isDead = true
        let time = Duration.microseconds(30 + self.random.below(200))
        self.simulation.after(time) { [weak self] in
            guard let self, self.entries[name]?.pid == pid else { return }
            self.entries[name]?.pid = nil
            let now = self.simulation.now
            self.perform(self.supervisor.exited(name, end, lastLines: [], now: now))
        }
    }

    private func armTimer() {
        guard let due = self.supervisor.nextDeadline, self.timer.map({ due < $0 }) ?? true
        else { return }
        self.timer = due
        self.simulation.at(due) { [weak self] in
            guard let self else { return }
            if self.timer == due { self.timer = nil }
            self.perform(self.supervisor.timePassed(now: self.simulation.now))
        }
    }
}
