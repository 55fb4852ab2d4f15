import CWatch
import Mesh
import Synchronization

/// The executor of one process's actors: its jobs wait in the simulation's queue.
final class SimulatedExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Confined to the thread that drives the simulation, but for `enqueue`.
    let process: String
    /// Counts the simulation's executors.
    let number: Int
    private let queue: JobQueue
    /// Says which events the process is handling.
    var handling: () -> [EventEnvelope] = { [] }

    init(of process: String, number: Int, queue: JobQueue) {
        self.process = process
        self.number = number
        self.queue = queue
    }

    func enqueue(_ job: consuming ExecutorJob) {
        self.queue.add(UnownedJob(job), of: self)
    }

    func checkIsolated() {
        precondition(
            self.queue.isHere,
            "\(self.process) is used on another thread: a service runs on its host's"
        )
    }

    /// Notes that a function of the host is called, where that is on another thread.
    func called(_ function: StaticString) {
        if !self.queue.isHere { self.queue.escapes.add(.use(of: "\(function)", by: self.process)) }
    }
}

/// The runnable jobs of a simulation, each with the executor that it is for.
final class JobQueue: @unchecked Sendable {
    struct Entry {
        var job: UnownedJob
        /// Nil for one that was on its way to an executor of the process.
        var executor: SimulatedExecutor?
    }

    // Confined to the thread that drives the simulation, but for what is synchronized.
    private var entries: [Entry] = []
    /// Where in ``entries`` those begin that became runnable together, the last ones last.
    private var batches: [Int] = []
    /// How many of ``entries`` belong to a batch.
    private var batchedCount = 0
    private let arrivals = Mutex<[Entry]>([])
    private let isRunning = Atomic(false)
    let escapes = EscapeList()
    /// What watches the thread that drives the simulation; only its address is looked at.
    let watch = UnsafeMutablePointer<squall_watch>.allocate(capacity: 1)

    deinit { self.watch.deallocate() }

    /// Whether this is the thread that drives the simulation, or nobody drives it.
    var isHere: Bool {
        UnsafePointer(self.watch) == squall_watched() || !self.isRunning.load(ordering: .relaxed)
    }

    func add(_ job: UnownedJob, of executor: SimulatedExecutor?) {
        let entry = Entry(job: job, executor: executor)
        if UnsafePointer(self.watch) == squall_watched() { return self.entries.append(entry) }
        // Nobody drives the simulation: a test that kills a process; or another thread does this.
        if self.isRunning.load(ordering: .relaxed), let executor {
            self.escapes.add(.arrival(of: job.number, at: executor.process))
        }
        self.arrivals.withLock { $0.append(entry) }
    }

    /// Takes one of the jobs that became runnable last, which `choose` picks among several.
    ///
    /// So a handler goes on until it waits for something, in however many jobs: how many there are,
    /// the compiler decides, and a debug build makes other ones than a release build.
    func take(choose: (Int) -> Int) -> Entry? {
        if self.entries.count > self.batchedCount { self.batches.append(self.batchedCount) }
        guard let start = self.batches.last else { return nil }
        let count = self.entries.count - start
        let entry = self.entries.remove(at: start + (count == 1 ? 0 : choose(count)))
        if count == 1 { self.batches.removeLast() }
        self.batchedCount = self.entries.count
        return entry
    }

    /// Lets this thread drive the simulation while `body` runs.
    func drive<Result>(_ body: () -> Result) -> Result {
        let before = squall_watch_thread(self.watch)
        self.isRunning.store(true, ordering: .relaxed)
        self.entries += self.arrivals.withLock { arrivals in
            defer { arrivals = [] }
            return arrivals
        }
        defer {
            self.isRunning.store(false, ordering: .relaxed)
            _ = squall_watch_thread(before)
        }
        return body()
    }

    /// Forgets what will not run any more.
    func clear() {
        self.entries = []
        self.batches = []
        self.batchedCount = 0
    }
}

extension UnownedJob {
    /// What the runtime calls it, such as `17`.
    var number: String {
        String(self.description.filter(\.isNumber))
    }
}
