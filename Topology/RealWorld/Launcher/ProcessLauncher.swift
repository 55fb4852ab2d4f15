import Chaos
import Glibc
import Mesh
import MeshSocket

/// Starts the processes of a topology, watches over them and stops them: the shell around
/// ``Supervisor``.
///
/// Belongs to the loop's thread, which must be the main thread: the kernel kills the processes
/// when the thread that started them ends, and so when squall itself is killed.
package final class ProcessLauncher {
    /// Called after the status of a process changed.
    package var onChange: () -> Void = {}
    /// Called with each thing that happened, before ``onChange``.
    package var onReport: (SupervisorReport) -> Void = { _ in }

    package static let logBytesMax = 8 * 1024 * 1024

    private let loop: EventLoop
    private var supervisor: Supervisor
    private var processes: [LaunchedProcess]
    private let runFolder: String
    private let logBytesMax: Int
    private var timer: (id: TimerID, at: Instant)?
    /// Ends what processes leave behind that may start others.
    private var processGuard: ProcessGuard?
    private var onStopped: (() -> Void)?
    /// What the supervisor wants done; more may come while it is done.
    private var actions: [SupervisorAction] = []
    private var isPerforming = false

    /// Prepares everything and starts nothing.
    ///
    /// - Parameters:
    ///   - loop: Where the processes are watched.
    ///   - runFolder: Where the processes run, and where `logs/NAME.log` are written.
    ///   - specs: The processes; names are unique.
    ///   - grace: How long a process may take to end after it was asked to.
    ///   - logBytesMax: How large a log grows before it becomes `NAME.log.1`.
    package init(
        loop: EventLoop,
        runFolder: String,
        specs: [ProcessSpec],
        grace: Duration = .seconds(5),
        logBytesMax: Int = logBytesMax
    ) {
        self.loop = loop
        self.runFolder = runFolder
        self.logBytesMax = logBytesMax
        _ = mkdir("\(runFolder)/logs", 0o700)
        self.supervisor = Supervisor(
            processes: specs.map {
                ProcessPlan(name: $0.name, stage: $0.stage, restart: $0.restart)
            },
            grace: grace
        )
        self.processes = specs.map { spec in
            Self.process(spec, loop: loop, runFolder: runFolder, logBytesMax: logBytesMax)
        }
    }

    private static func process(
        _ spec: ProcessSpec,
        loop: EventLoop,
        runFolder: String,
        logBytesMax: Int
    ) -> LaunchedProcess {
        LaunchedProcess(
            spec: spec,
            loop: loop,
            folder: runFolder,
            log: BoundedLog(
                path: "\(runFolder)/logs/\(Self.logName(of: spec.name))",
                bytesMax: logBytesMax
            )
        )
    }

    /// The name of a process's log file, such as `payments.log`, or `payments-2.log` for
    /// `payments/2`.
    package static func logName(of process: String) -> String {
        String(process.map { $0 == "/" ? "-" : $0 }) + ".log"
    }

    // MARK: What is

    /// How each process is, in the order of the specs.
    package var status: [ProcessStatus] { self.supervisor.status }

    /// Returns how a process is; nil where there is none of that name.
    package func status(of name: String) -> ProcessStatus? {
        self.supervisor.status.first { $0.name == name }
    }

    /// Whether every process is ready or was.
    package var isUp: Bool { self.supervisor.isUp }

    /// Returns the last lines that a process wrote, also while it runs.
    package func lastLines(of name: String) -> [String] {
        self.process(name)?.log.lastLines ?? []
    }

    /// What keeps logs from being written, one for each log that it keeps.
    package var logTroubles: [SystemError] { self.processes.compactMap(\.log.trouble) }

    // MARK: What shall be

    /// Starts the processes, stage by stage.
    package func start() {
        // A process that ends while it is being written to is noticed by its end.
        _ = signal(SIGPIPE, SIG_IGN)
        self.perform(self.supervisor.startRequested(now: self.loop.now()))
    }

    /// Stops the processes in reverse order, then calls `then`.
    package func stop(then: @escaping () -> Void) {
        self.onStopped = then
        self.perform(self.supervisor.stopRequested(now: self.loop.now()))
    }

    /// Kills all processes at once; after ``stop(then:)`` what was given there is still called.
    package func abort() {
        self.perform(self.supervisor.abortRequested(now: self.loop.now()))
    }

    /// Notes that a process does its work now.
    ///
    /// - Parameters:
    ///   - name: The process.
    ///   - pid: Who said so, where that is known: news of one that ended since is ignored.
    package func markReady(_ name: String, pid: pid_t? = nil) {
        guard let status = self.status(of: name), pid == nil || pid == status.pid else { return }
        self.perform(self.supervisor.becameReady(name, now: self.loop.now()))
    }

    /// Sends a signal that is meant to end a process, which then is started again at once, or
    /// that much later.
    ///
    /// Returns whether there was one to send it to.
    @discardableResult
    package func kill(
        _ name: String,
        _ signal: ProcessSignal = .kill,
        downFor: Duration = .zero
    ) -> Bool {
        let now = self.loop.now()
        return self.perform(
            self.supervisor.killRequested(name, signal, downFor: downFor, now: now)
        )
    }

    /// Stops a process in its tracks; returns whether there was one that could be.
    @discardableResult
    package func pause(_ name: String) -> Bool {
        self.perform(self.supervisor.pauseRequested(name, now: self.loop.now()))
    }

    /// Lets a paused process go on; returns whether there was one.
    @discardableResult
    package func resume(_ name: String) -> Bool {
        self.perform(self.supervisor.resumeRequested(name, now: self.loop.now()))
    }

    /// Starts a process again that was given up, or waits; returns whether there was one.
    @discardableResult
    package func revive(_ name: String) -> Bool {
        self.perform(self.supervisor.reviveRequested(name, now: self.loop.now()))
    }

    /// Starts one more process; its name must be new.
    package func add(_ spec: ProcessSpec) {
        self.processes.append(
            Self.process(
                spec,
                loop: self.loop,
                runFolder: self.runFolder,
                logBytesMax: self.logBytesMax
            )
        )
        let plan = ProcessPlan(name: spec.name, stage: spec.stage, restart: spec.restart)
        self.perform(self.supervisor.added(plan, now: self.loop.now()))
    }

    /// Lets a process end in order, and start again at once; returns whether there was one.
    @discardableResult
    package func restart(_ name: String) -> Bool {
        self.perform(self.supervisor.restartRequested(name, now: self.loop.now()))
    }

    /// Lets a process end in order and forgets it, which a report says.
    package func retire(_ name: String) {
        self.perform(self.supervisor.retireRequested(name, now: self.loop.now()))
    }

    // MARK: Doing

    /// Does what the supervisor wants, and what it wants in consequence; returns whether there
    /// was anything to do.
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
            case .spawn(let name):
                self.actions.insert(contentsOf: self.spawn(name), at: next)

            case .signal(_, let pid, let signal):
                LaunchedProcess.send(signal, to: pid)

            case .report(let report):
                if case .retired(let name) = report {
                    self.processes.removeAll { $0.spec.name == name }
                }
                self.onReport(report)

            case .finished:
                let onStopped = self.onStopped
                self.onStopped = nil
                onStopped?()
            }
        }
        self.actions = []
        self.isPerforming = false
        self.armTimer()
        if !actions.isEmpty { self.onChange() }
        return !actions.isEmpty
    }

    private func spawn(_ name: String) -> [SupervisorAction] {
        guard let process = self.process(name) else {
            preconditionFailure("no process is named \(name)")
        }
        do {
            let processGuard = process.spec.startsOthers ? try self.startGuard() : nil
            let pid = try process.start(under: processGuard) { [weak self] exit in
                self?.ended(process, exit)
            }
            return self.supervisor.spawned(name, pid: pid, now: self.loop.now())
        } catch {
            let reason = "\(error)"
            return self.supervisor.spawnFailed(name, reason: reason, now: self.loop.now())
        }
    }

    /// There is none before somebody needs it.
    private func startGuard() throws(SystemError) -> ProcessGuard {
        if let known = self.processGuard { return known }
        let started = try ProcessGuard()
        self.processGuard = started
        return started
    }

    private func ended(_ process: LaunchedProcess, _ exit: ProcessExit) {
        let end: ProcessEnd =
            switch exit {
            case .exited(let code):
                .exited(code: code)

            case .signalled(let signal):
                .signalled(signal: signal, name: SignalName.name(of: signal))
            }
        let actions = self.supervisor.exited(
            process.spec.name,
            end,
            lastLines: process.log.lastLines,
            now: self.loop.now()
        )
        self.perform(actions)
    }

    private func armTimer() {
        let deadline = self.supervisor.nextDeadline
        guard deadline != self.timer?.at else { return }
        if let timer = self.timer { self.loop.cancel(timer.id) }
        self.timer = nil
        guard let deadline else { return }
        let id = self.loop.timer(at: deadline) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.perform(self.supervisor.timePassed(now: self.loop.now()))
        }
        self.timer = (id, deadline)
    }

    private func process(_ name: String) -> LaunchedProcess? {
        self.processes.first { $0.spec.name == name }
    }
}
