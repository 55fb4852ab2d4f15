import Glibc
import Synchronization

/// Threads on which worlds run side by side.
///
/// Their own, not the pool's: a simulated world drives its executor by hand and must not share a
/// thread with anyone who waits for it.
enum WorldThreads {
    private final class Job: Sendable {
        let body: @Sendable () -> Void
        let left: Atomic<Int>

        init(_ count: Int, _ body: @escaping @Sendable () -> Void) {
            self.body = body
            self.left = Atomic(count)
        }

        func run() {
            self.body()
            self.left.subtract(1, ordering: .releasing)
        }
    }

    /// Runs `body` on each of `count` threads and returns when all have ended; `onPause` is called
    /// now and then meanwhile and should wait a little.
    static func run(_ count: Int, onPause: () -> Void, _ body: @escaping @Sendable () -> Void) {
        let job = Job(count, body)
        var handles: [pthread_t] = []
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 8 << 20)
        for _ in 0..<count {
            var handle = pthread_t()
            let box = Unmanaged.passRetained(job).toOpaque()
            let code = pthread_create(
                &handle,
                &attributes,
                { box in
                    guard let box else { return nil }
                    Unmanaged<Job>.fromOpaque(box).takeRetainedValue().run()
                    return nil
                },
                box
            )
            if code == 0 {
                handles.append(handle)
            } else {
                Unmanaged<Job>.fromOpaque(box).release()
                job.left.subtract(1, ordering: .releasing)
            }
        }
        pthread_attr_destroy(&attributes)
        while job.left.load(ordering: .acquiring) > 0 { onPause() }
        for handle in handles { pthread_join(handle, nil) }
    }

    /// Returns what `body` makes of `0 ..< count`, in that order, worked out on `threads` threads.
    static func map<Value: Sendable>(
        _ count: Int,
        threads: Int,
        onPause: (Int) -> Void = { _ in },
        _ body: @escaping @Sendable (Int) -> Value
    ) -> [Value] {
        let state = Mutex<(next: Int, done: [Int: Value])>((0, [:]))
        let shared = Box(state)
        Self.run(min(threads, max(count, 1))) {
            onPause(shared.state.withLock { $0.done.count })
            usleep(2000)
        } _: {
            while true {
                let index = shared.state.withLock { state in
                    defer { state.next += 1 }
                    return state.next
                }
                guard index < count else { return }
                let value = body(index)
                shared.state.withLock { $0.done[index] = value }
            }
        }
        return shared.state.withLock { state in (0..<count).compactMap { state.done[$0] } }
    }

    private final class Box<Value: Sendable>: Sendable {
        let state: Mutex<(next: Int, done: [Int: Value])>

        init(_ state: consuming sending Mutex<(next: Int, done: [Int: Value])>) {
            self.state = state
        }
    }
}
