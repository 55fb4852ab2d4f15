import CWatch
import Chaos
import Mesh

/// One thread, virtual time and a seed: everything that happens in a simulated run happens here.
///
/// Time stands still while anything is runnable, then jumps to the next instant at which something
/// is due. What happens next, the seed decides by the run's strategy.
/// Use one from one thread at a time; several live side by side on several threads.
package final class Simulation {
    /// The virtual time.
    package private(set) var now: Instant
    /// Changes with everything that happens: equal hashes mean equal runs.
    package private(set) var hash: UInt64
    /// How many messages and timers were taken so far.
    package private(set) var stepCount = 0
    /// How many messages arrived somewhere.
    package internal(set) var messageCount = 0

    private let jobs = JobQueue()
    /// The executors of all processes, by their number.
    private var executors: [SimulatedExecutor] = []
    /// The number of the executor of the process that has run last; -1 where none has.
    var running = -1
    /// Who wants to know at which places faults could be put.
    var survey: PlaceSurvey?
    private let seed: UInt64
    private var agenda = Agenda()
    private var schedule: any Schedule
    private var processes: [String: Int] = [:]

    /// Creates a run whose whole course `seed` determines; `steps` says about how long it gets.
    package init(
        seed: UInt64,
        strategy: Scenario.Strategy = .random,
        steps: Int = 10_000,
        start: Instant = Instant(nanoseconds: 1_700_000_000_000_000_000)
    ) {
        self.seed = seed
        self.now = start
        self.hash = seed
        self.schedule = strategy.schedule(
            SeededRandom(seed: seed).split("schedule"),
            steps: steps
        )
        self.jobs.watch.initialize(
            to: squall_watch(
                context: Unmanaged.passUnretained(self).toOpaque(),
                called: { Simulation.watching($0)?.escaped(byCalling: $1) },
                escaped: { Simulation.watching($0)?.escaped($1) }
            )
        )
    }

    deinit { self.jobs.clear() }

    /// Returns an executor for the actors of one process.
    func executor(of process: String) -> SimulatedExecutor {
        let executor = SimulatedExecutor(
            of: process,
            number: self.executors.count,
            queue: self.jobs
        )
        self.executors.append(executor)
        return executor
    }

    /// What services did beside their hosts.
    package var escapes: [Escape] { self.jobs.escapes.all }

    /// Returns the source of chance for one purpose; drawing from it disturbs no other.
    package func random(for purpose: String) -> SeededRandom {
        SeededRandom(seed: self.seed).split(purpose)
    }

    /// Returns the number of the process of that name, in whose name things can happen.
    ///
    /// What happens in the name of one process keeps its order; 0 is nobody.
    package func process(_ name: String) -> Int {
        if let known = self.processes[name] { return known }
        let number = self.processes.count + 1
        self.processes[name] = number
        self.schedule.joined(number)
        return number
    }

    /// Does `action` once `delay` has passed.
    package func after(
        _ delay: Duration,
        by process: Int = 0,
        _ action: consuming @escaping () -> Void
    ) {
        let order = self.schedule.order()
        self.agenda.add(due: self.now + delay, order: order, process: process, action)
    }

    /// Does `action` at `instant`, behind everything that was put there before.
    func at(_ instant: Instant, by process: Int = 0, _ action: consuming @escaping () -> Void) {
        let due = max(instant, self.now)
        self.agenda.add(due: due, order: .max, process: process, action)
    }

    /// Does `action` at `instant`, before or after everything else that happens then.
    ///
    /// Nothing that happens before that is any different for it.
    func exactly(at instant: Instant, isAfter: Bool, _ action: @escaping () -> Void) {
        self.agenda.add(due: instant, order: isAfter ? .max : 0, process: 0, action)
    }

    /// Folds what has happened into the run's hash.
    func note(_ bytes: UnsafeRawBufferPointer, _ who: UInt64) {
        self.hash = StableHash.of(
            bytes,
            seed: StableHash.combine(self.hash ^ who, UInt64(bitPattern: self.now.nanoseconds))
        )
    }

    /// Runs until `isOver` says so, nothing is left to happen, or `limit` of virtual time is over.
    ///
    /// - Returns: whether `isOver` became true.
    @discardableResult
    package func run(within limit: Duration, until isOver: () -> Bool) -> Bool {
        self.jobs.drive { self.steps(within: limit, until: isOver) }
    }

    private func steps(within limit: Duration, until isOver: () -> Bool) -> Bool {
        let end = self.now + limit
        self.runJobs()
        while !isOver() {
            let entry = self.schedule.next(of: &self.agenda, now: self.now, until: end)
            guard let entry else {
                self.now = max(self.now, end)
                return false
            }
            self.now = max(self.now, entry.due)
            self.stepCount += 1
            self.agenda.takeAction(of: entry).run()
            self.runJobs()
        }
        return true
    }

    /// Lets what is runnable come to its end, and forgets what was to happen later.
    func end() {
        self.jobs.drive { self.runJobs() }
        self.agenda = Agenda()
    }

    private func runJobs() {
        while let next = self.jobs.take(choose: { self.schedule.choose(among: $0) }) {
            guard let executor = next.executor else {
                next.job.runSynchronously(on: self.strays.asUnownedTaskExecutor())
                continue
            }
            self.running = executor.number
            // It is both, so that nothing has to be enqueued again to get to the other.
            next.job.runSynchronously(
                isolatedTo: executor.asUnownedSerialExecutor(),
                taskExecutor: executor.asUnownedTaskExecutor()
            )
        }
    }

    // MARK: What leaves the simulated world

    /// Where jobs run that were on their way to an executor of the process.
    private lazy var strays = self.executor(of: "a task outside of every turn")

    private static func watching(_ context: UnsafeMutableRawPointer?) -> Simulation? {
        context.map { Unmanaged<Simulation>.fromOpaque($0).takeUnretainedValue() }
    }

    private var runningExecutor: SimulatedExecutor? {
        self.running < 0 ? nil : self.executors[self.running]
    }

    /// What the process that runs is handling.
    private var handling: [String] {
        self.runningExecutor?.handling().map { "\($0.type) of \($0.subject)" } ?? []
    }

    private func escaped(byCalling call: UnsafePointer<CChar>?) {
        guard let call, let process = self.runningExecutor?.process else { return }
        self.jobs.escapes.add(
            .call(String(cString: call), by: process, handling: self.handling)
        )
    }

    /// Takes over a job that was on its way to the global executor, so that nothing of this run
    /// goes on elsewhere.
    private func escaped(_ job: UnsafeMutableRawPointer?) {
        guard let job, let process = self.runningExecutor?.process else { return }
        let stray = unsafeBitCast(job, to: UnownedJob.self)
        self.jobs.escapes.add(.job(stray.number, by: process, handling: self.handling))
        self.jobs.add(stray, of: nil)
    }
}
