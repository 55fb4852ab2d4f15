import CSystem
import Glibc
import Mesh
import Synchronization

/// One thread's epoll loop, which is also the executor of the actors that live on it.
///
/// It belongs to the thread that created it, or that called ``run()`` last; only
/// ``enqueue(_:)``, ``stop()`` and ``now()`` may be called from elsewhere. It wakes up for an
/// event, a timer or a job, and for nothing else.
///
/// One iteration: wait, hand out events, fire due timers, run jobs, ``afterEvents``.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// What other threads hand over.
    private struct Mailbox {
        var jobs: [UnownedJob] = []
        var wakePending = false
    }

    private final class Watcher {
        let generation: UInt32
        var readable: () -> Void
        var writable: () -> Void
        /// What the owner wants to hear of, and what the kernel was told.
        var interest: Interest
        var registered: Interest = []

        init(
            generation: UInt32,
            readable: @escaping () -> Void,
            writable: @escaping () -> Void,
            interest: Interest
        ) {
            self.generation = generation
            self.readable = readable
            self.writable = writable
            self.interest = interest
        }
    }

    /// What to hear of on a file descriptor.
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package static let readable = Interest(rawValue: 1)
        package static let writable = Interest(rawValue: 2)

        package init(rawValue: UInt32) { self.rawValue = rawValue }
    }

    /// Called once an iteration, after all events, timers and jobs were handled and before the
    /// loop blocks again: the place for a group commit.
    ///
    /// What it makes runnable runs in the next iteration, which then does not block.
    package var afterEvents: (() -> Void)?

    private static let eventsMax = 256
    /// How many rounds of jobs run before input and timers get their turn again.
    private static let jobRoundsMax = 64
    /// The tag of the descriptor that wakes the loop; no watcher has generation 0.
    private static let wakeTag: UInt64 = 0
    static let readBufferBytes = 256 * 1024
    /// For how many nanoseconds the loop looks for an event that is likely to come soon.
    private static let patience: Int64 = 50_000

    private let epoll: Int32
    private let wake: Int32
    private let clockBase: Int64
    private let mailbox = Mutex(Mailbox())
    private let owner: Atomic<UInt>
    private let stopping = Atomic<Bool>(false)
    private let events: UnsafeMutablePointer<epoll_event>
    private var readBufferStorage: UnsafeMutableRawBufferPointer?
    private var watchers: [Watcher?] = []
    private var lastGeneration: UInt32 = 0
    /// Whether the loop last slept for a short time only.
    private var eventsComeSoon = false
    private var timers = TimerHeap()
    private var jobs: [UnownedJob] = []
    private var spareJobs: [UnownedJob] = []
    private var actions: [() -> Void] = []

    package init() throws(SystemError) {
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw .last("epoll_create1", message: Self.limitAdvice) }
        self.wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard self.wake >= 0 else {
            let error = SystemError.last("eventfd", message: Self.limitAdvice)
            _ = close(self.epoll)
            throw error
        }
        self.clockBase = squall_clock(CLOCK_REALTIME) - squall_clock(CLOCK_MONOTONIC)
        self.owner = Atomic(Self.currentThread)
        self.events = .allocate(capacity: Self.eventsMax)
        // Edge-triggered: the counter never needs to be read.
        try self.control(
            EPOLL_CTL_ADD,
            self.wake,
            EPOLLIN.rawValue | EPOLLET.rawValue,
            Self.wakeTag
        )
    }

    deinit {
        self.events.deallocate()
        self.readBufferStorage?.deallocate()
        _ = close(self.wake)
        _ = close(self.epoll)
    }

    static let limitAdvice =
        "Raise the limit of open files (ulimit -n) or stop other runs, then try again"

    // MARK: Running

    /// Runs until ``stop()``; throws only where the kernel takes epoll away.
    package func run() throws(SystemError) {
        self.owner.store(Self.currentThread, ordering: .relaxed)
        while !self.stopping.load(ordering: .acquiring) {
            try self.runOnce()
        }
        self.stopping.store(false, ordering: .releasing)
    }

    /// Makes ``run()`` return after the current iteration; from any thread.
    package func stop() {
        self.stopping.store(true, ordering: .releasing)
        if !self.isCurrent { self.wakeUp() }
    }

    /// Waits for something to do, and does it.
    private func runOnce() throws(SystemError) {
        let count = self.wait()
        if count < 0, errno != EINTR { throw .last("epoll_wait") }
        for index in 0..<max(0, Int(count)) {
            let event = self.events[index]
            self.dispatch(tag: event.data.u64, flags: event.events)
        }
        self.fireTimers()
        self.runJobs()
        self.afterEvents?()
    }

    /// Returns how many events there are, once there is one or the time has come for something.
    ///
    /// Where the last one came soon, the next one is likely to: the loop looks for it again and
    /// again for a while, letting others run in between, because waking up takes longer.
    private func wait() -> Int32 {
        var limit = self.nanosecondsToWait()
        guard limit != 0 else { return self.wait(0) }
        let began = squall_clock(CLOCK_MONOTONIC)
        var elapsed: Int64 = 0
        let patience = limit < 0 ? Self.patience : min(limit, Self.patience)
        while self.eventsComeSoon {
            let count = self.wait(0)
            if count != 0 { return count }
            elapsed = squall_clock(CLOCK_MONOTONIC) - began
            guard elapsed < patience else { break }
            sched_yield()
        }
        if limit > 0 { limit = max(0, limit - elapsed) }
        let count = self.wait(limit)
        let waited = squall_clock(CLOCK_MONOTONIC) - began
        self.eventsComeSoon = count > 0 && waited < Self.patience
        return count
    }

    private func wait(_ nanoseconds: Int64) -> Int32 {
        squall_epoll_wait(self.epoll, self.events, Int32(Self.eventsMax), nanoseconds)
    }

    private func nanosecondsToWait() -> Int64 {
        guard self.jobs.isEmpty, self.actions.isEmpty else { return 0 }
        guard !self.stopping.load(ordering: .acquiring) else { return 0 }
        guard let next = self.timers.next else { return -1 }
        return max(0, (next - self.now()).inNanoseconds)
    }

    private func dispatch(tag: UInt64, flags: UInt32) {
        guard tag != Self.wakeTag else {
            self.takeMail()
            return
        }
        let fd = Int(tag & 0xffff_ffff)
        let generation = UInt32(tag >> 32)
        let failed = flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        if failed || flags & EPOLLIN.rawValue != 0,
            let watcher = self.watcher(fd, generation),
            watcher.interest.contains(.readable)
        {
            watcher.readable()
        }
        // The first call may have closed the descriptor, or changed what is wanted.
        if failed || flags & EPOLLOUT.rawValue != 0,
            let watcher = self.watcher(fd, generation),
            watcher.interest.contains(.writable)
        {
            watcher.writable()
        }
    }

    private func watcher(_ fd: Int, _ generation: UInt32) -> Watcher? {
        guard self.watchers.indices.contains(fd), let watcher = self.watchers[fd],
            watcher.generation == generation
        else { return nil }
        return watcher
    }

    private func fireTimers() {
        guard self.timers.next != nil else { return }
        let now = self.now()
        let generation = self.timers.generation
        while let action = self.timers.takeDue(at: now, armedUpTo: generation) { action() }
    }

    // MARK: Jobs

    /// Takes a job of an actor or task that lives on this loop; from any thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if self.isCurrent {
            self.jobs.append(job)
            return
        }
        let mustWake = self.mailbox.withLock { mailbox in
            mailbox.jobs.append(job)
            defer { mailbox.wakePending = true }
            return !mailbox.wakePending
        }
        if mustWake { self.wakeUp() }
    }

    /// Runs `action` later in this iteration or in the next one; on the loop's thread only.
    package func soon(_ action: @escaping () -> Void) {
        self.actions.append(action)
    }

    private func runJobs() {
        var rounds = 0
        while rounds < Self.jobRoundsMax, !self.jobs.isEmpty || !self.actions.isEmpty {
            rounds += 1
            if !self.actions.isEmpty {
                var actions: [() -> Void] = []
                swap(&actions, &self.actions)
                for action in actions { action() }
            }
            guard !self.jobs.isEmpty else { continue }
            var batch = self.spareJobs
            self.spareJobs = []
            swap(&batch, &self.jobs)
            for job in batch {
                job.runSynchronously(
                    isolatedTo: self.asUnownedSerialExecutor(),
                    taskExecutor: self.asUnownedTaskExecutor()
                )
            }
            batch.removeAll(keepingCapacity: true)
            self.spareJobs = batch
        }
    }

    private func takeMail() {
        var received: [UnownedJob] = []
        self.mailbox.withLock { mailbox in
            swap(&received, &mailbox.jobs)
            mailbox.wakePending = false
        }
        self.jobs.append(contentsOf: received)
    }

    private func wakeUp() {
        var one: UInt64 = 1
        // Fails only where the counter is full, and then the loop has long been woken.
        _ = write(self.wake, &one, MemoryLayout<UInt64>.size)
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Traps unless the caller is on the loop's thread.
    package func checkIsolated() {
        precondition(self.isCurrent, "called from outside the thread of the event loop")
    }

    package func isIsolatingCurrentContext() -> Bool? { self.isCurrent }

    /// Whether the caller is on the loop's thread.
    package var isCurrent: Bool {
        self.owner.load(ordering: .relaxed) == Self.currentThread
    }

    private static var currentThread: UInt { UInt(pthread_self()) }

    // MARK: Time

    /// Returns the time: the real time when the loop was created, and what passed since then.
    ///
    /// It never goes back, whatever happens to the machine's clock; from any thread.
    package func now() -> Instant {
        Instant(nanoseconds: self.clockBase + squall_clock(CLOCK_MONOTONIC))
    }

    /// Calls `action` once, at `at` or as soon after it as possible, never before.
    @discardableResult
    package func timer(at: Instant, _ action: @escaping () -> Void) -> TimerID {
        self.timers.arm(at: at, action)
    }

    /// Disarms a timer; does nothing where it fired or was cancelled already.
    package func cancel(_ timer: TimerID) {
        self.timers.cancel(timer)
    }

    // MARK: File descriptors

    /// Calls the closures whenever the descriptor is ready, until ``unwatch(_:)``.
    ///
    /// An error or a hang-up calls those that are wanted. The loop never closes a descriptor.
    package func watch(
        _ fd: Int32,
        for interest: Interest = .readable,
        readable: @escaping () -> Void,
        writable: @escaping () -> Void = {}
    ) throws(SystemError) {
        while self.watchers.count <= Int(fd) { self.watchers.append(nil) }
        precondition(self.watchers[Int(fd)] == nil, "the descriptor is watched already")
        self.lastGeneration = self.lastGeneration == .max ? 1 : self.lastGeneration + 1
        let watcher = Watcher(
            generation: self.lastGeneration,
            readable: readable,
            writable: writable,
            interest: interest
        )
        try self.register(fd, watcher)
        self.watchers[Int(fd)] = watcher
    }

    /// Changes what to hear of; nothing at all takes the descriptor out of the kernel's list.
    package func modify(_ fd: Int32, for interest: Interest) throws(SystemError) {
        guard let watcher = self.watchers[Int(fd)] else {
            preconditionFailure("the descriptor is not watched")
        }
        watcher.interest = interest
        try self.register(fd, watcher)
    }

    /// Forgets a descriptor, which the caller then may close; events on their way are dropped.
    package func unwatch(_ fd: Int32) {
        guard self.watchers.indices.contains(Int(fd)), let watcher = self.watchers[Int(fd)] else {
            return
        }
        self.watchers[Int(fd)] = nil
        if !watcher.registered.isEmpty { _ = epoll_ctl(self.epoll, EPOLL_CTL_DEL, fd, nil) }
    }

    /// Tells the kernel what is wanted.
    ///
    /// A hang-up cannot be masked, so a descriptor of which nothing is wanted leaves the list:
    /// it would keep the loop awake.
    private func register(_ fd: Int32, _ watcher: Watcher) throws(SystemError) {
        guard watcher.interest != watcher.registered else { return }
        var flags: UInt32 = 0
        if watcher.interest.contains(.readable) { flags |= EPOLLIN.rawValue }
        if watcher.interest.contains(.writable) { flags |= EPOLLOUT.rawValue }
        let operation =
            watcher.registered.isEmpty
            ? EPOLL_CTL_ADD : watcher.interest.isEmpty ? EPOLL_CTL_DEL : EPOLL_CTL_MOD
        let tag = UInt64(watcher.generation) << 32 | UInt64(UInt32(bitPattern: fd))
        try self.control(operation, fd, flags, tag)
        watcher.registered = watcher.interest
    }

    private func control(
        _ operation: Int32,
        _ fd: Int32,
        _ flags: UInt32,
        _ tag: UInt64
    ) throws(SystemError) {
        var event = epoll_event(events: flags, data: epoll_data_t(u64: tag))
        guard epoll_ctl(self.epoll, operation, fd, &event) == 0 else {
            throw .last("epoll_ctl", message: Self.limitAdvice)
        }
    }

    /// The memory that every connection of this loop reads into before anything is kept.
    var readBuffer: UnsafeMutableRawBufferPointer {
        if let buffer = self.readBufferStorage { return buffer }
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.readBufferBytes,
            alignment: 64
        )
        self.readBufferStorage = buffer
        return buffer
    }
}
