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
    /// How many messages, timers and jobs were taken so far.
    package private(set) var stepCount = 0
    /// How many messages arrived somewhere.
    package internal(set) var messageCount = 0

    let executor: SimulatedExecutor
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
        self.executor = SimulatedExecutor()
    }

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
    package func after(_ delay: Duration, by process: Int = 0, _ action: @escaping () -> Void) {
        let order = self.schedule.order()
        self.agenda.add(due: self.now + delay, order: order, process: process, action)
    }

    /// Does `action` at `instant`, behind everything that was put there before.
    func at(_ instant: Instant, by process: Int = 0, _ action: @escaping () -> Void) {
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
        self.runJobs()
        self.agenda = Agenda()
    }

    private func runJobs() {
        while self.executor.hasJobs {
            let count = self.executor.count
            let job = self.executor.take(count == 1 ? 0 : self.schedule.choose(among: count))
            self.stepCount += 1
            job.runSynchronously(on: self.executor.asUnownedSerialExecutor())
        }
    }
}

/// The executor of every simulated actor: a queue that the simulation empties by hand.
final class SimulatedExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Confined to the thread that drives the simulation.
    private var jobs: [UnownedJob] = []

    var hasJobs: Bool { !self.jobs.isEmpty }
    var count: Int { self.jobs.count }

    func enqueue(_ job: consuming ExecutorJob) {
        self.jobs.append(UnownedJob(job))
    }

    /// Takes one of the runnable jobs.
    func take(_ index: Int) -> UnownedJob { self.jobs.remove(at: index) }

    func checkIsolated() {}
}
