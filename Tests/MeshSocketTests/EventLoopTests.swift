import CSystem
import Foundation
import Mesh
import MeshSocket
import TestSupport
import Testing

/// An actor that lives on a loop.
private actor Resident {
    private let loop: EventLoop
    private(set) var log: [String] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    func note(_ text: String) -> Bool {
        self.log.append(text)
        return self.loop.isCurrent
    }

    func stopLoop() { self.loop.stop() }
}

private func onTheGlobalPool(_ loop: EventLoop) async -> Bool { loop.isCurrent }

private func assumeHere(_ resident: Resident) {
    _ = resident.assumeIsolated { $0.note("from elsewhere") }
}

struct EventLoopTests {
    @Test func `timers fire in order, those of one instant as they were armed, none early`()
        async throws
    {
        let (order, early) = try await onLoop { loop in
            var order: [Int] = []
            var early = 0
            let start = loop.now()
            let delays = [30, 10, 20, 10, 0, 5, 30, -100]
            for (index, delay) in delays.enumerated() {
                let due = start + .milliseconds(delay)
                loop.timer(at: due) {
                    if loop.now() < due { early += 1 }
                    order.append(index)
                    if order.count == delays.count { loop.stop() }
                }
            }
            try loop.runUntilStopped()
            return (order, early)
        }
        #expect(order == [7, 4, 5, 1, 3, 2, 0, 6])
        #expect(early == 0)
    }

    @Test func `timers armed and cancelled at random fire once and not early, or never`()
        async throws
    {
        let result = try await onLoop { loop in
            var generator = SystemRandomNumberGenerator()
            // Later than arming them all takes, so that they come due one by one.
            let start = loop.now() + .milliseconds(300)
            var fired = [Int](repeating: 0, count: 2_000)
            var cancelled = Set<Int>()
            var last = Instant.zero
            var disorder = 0
            var early = 0
            var timers: [TimerID] = []
            for index in fired.indices {
                let due = start + .microseconds(Int.random(in: 0...50_000, using: &generator))
                timers.append(
                    loop.timer(at: due) {
                        fired[index] += 1
                        if due < last { disorder += 1 }
                        if loop.now() < due { early += 1 }
                        last = due
                    }
                )
            }
            for index in timers.indices where index % 3 == 0 {
                loop.cancel(timers[index])
                cancelled.insert(index)
            }
            loop.timer(at: start + .milliseconds(60)) { loop.stop() }
            try loop.runUntilStopped()
            // Harmless, also where the slot has long been another timer's.
            for timer in timers { loop.cancel(timer) }
            let wrong = fired.indices.filter { fired[$0] != (cancelled.contains($0) ? 0 : 1) }
            return [wrong.count, disorder, early]
        }
        #expect(result == [0, 0, 0])
    }

    @Test func `a timer that arms itself again for now starves nobody`() async throws {
        let rounds = try await onLoop { loop in
            var rounds = 0
            func again() {
                rounds += 1
                loop.timer(at: loop.now()) { again() }
            }
            again()
            loop.timer(at: loop.now() + .milliseconds(5)) { loop.stop() }
            try loop.runUntilStopped()
            return rounds
        }
        #expect(rounds > 1)
    }

    @Test func `a loop with nothing to do does not wake up`() async throws {
        let iterations = try await onLoop { loop in
            var iterations = 0
            loop.afterEvents = { iterations += 1 }
            let listener = try FrameListener(
                path: TemporaryFolder().path + ".sock",
                loop: loop
            ) { _ in }
            loop.timer(at: loop.now() + .milliseconds(200)) { loop.stop() }
            try loop.runUntilStopped()
            listener.close()
            return iterations
        }
        #expect(iterations <= 2)
    }

    @Test func `an actor runs on the loop it lives on, whoever calls it`() async throws {
        let loop = try await onLoop { loop in loop }
        Thread.detachNewThread { try? loop.run() }
        let resident = Resident(loop)
        for index in 0..<1_000 {
            #expect(await resident.note("call \(index)"))
        }
        #expect(await resident.log.count == 1_000)
        await resident.stopLoop()
    }

    @Test func `a task that prefers the loop stays there, whatever it calls`() async throws {
        let loop = try await onLoop { loop in loop }
        Thread.detachNewThread { try? loop.run() }
        let places = await Task(executorPreference: loop) {
            var places = [loop.isCurrent, await onTheGlobalPool(loop)]
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 { group.addTask { loop.isCurrent } }
                for await place in group { places.append(place) }
            }
            return places
        }.value
        #expect(places == Array(repeating: true, count: 12))
        loop.stop()
    }

    @Test func `a callback may assume the isolation of an actor on the same loop`() async throws {
        let isolated = try await onLoop { loop in
            let resident = Resident(loop)
            var isolated = false
            loop.timer(at: loop.now()) {
                isolated = resident.assumeIsolated { $0.note("from a timer") }
                loop.stop()
            }
            try loop.runUntilStopped()
            return isolated
        }
        #expect(isolated)
    }

    @Test func `assuming isolation on another thread is fatal`() async {
        await #expect(processExitsWith: .failure) {
            assumeHere(Resident(try await onLoop { loop in loop }))
        }
    }

    @Test func `what afterEvents makes runnable runs at once, without an event`() async throws {
        let steps = try await onLoop { loop in
            var steps = 0
            loop.afterEvents = {
                guard steps < 100 else { return loop.stop() }
                loop.soon { steps += 1 }
            }
            loop.soon {}
            try loop.runUntilStopped()
            return steps
        }
        #expect(steps == 100)
    }

    @Test func `endless jobs do not keep sockets and timers waiting`() async throws {
        let folder = try TemporaryFolder()
        let socket = folder.file("hub.sock")
        let received = try await onLoop { loop in
            var received = 0
            let listener = try FrameListener(path: socket, loop: loop) { connection in
                connection.onFrame = { _ in
                    received += 1
                    if received == 10 { loop.stop() }
                    connection.send(framed([1]))
                }
            }
            let client = try FrameConnection.connect(to: socket, loop: loop)
            client.onFrame = { _ in client.send(framed([1])) }
            client.send(framed([1]))
            func forever() { loop.soon { forever() } }
            forever()
            try loop.runUntilStopped()
            listener.close()
            return received
        }
        #expect(received == 10)
    }

    @Test func `an event for a descriptor that another took over in the same round reaches nobody`()
        async throws
    {
        let (calls, strangers) = try await onLoop { loop in
            var pairs: [[Int32]] = [[0, 0], [0, 0], [0, 0]]
            for index in pairs.indices {
                guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pairs[index]) == 0
                else { throw TimedOut() }
            }
            let idle = pairs[2][0]
            var calls = 0
            var strangers = 0
            for (own, other) in [(pairs[0][0], pairs[1][0]), (pairs[1][0], pairs[0][0])] {
                try loop.watch(own) {
                    // Whoever is called first replaces the other, whose event is on its way.
                    calls += 1
                    loop.unwatch(own)
                    loop.unwatch(other)
                    dup2(idle, other)
                    try? loop.watch(other) { strangers += 1 }
                }
            }
            for pair in pairs[..<2] { write(pair[1], "x", 1) }
            loop.eachIteration([{}, {}, { loop.stop() }])
            try loop.runUntilStopped()
            for pair in pairs { for end in pair { close(end) } }
            return (calls, strangers)
        }
        #expect(calls == 1)
        #expect(strangers == 0)
    }

    @Test func `time never goes back and keeps up with the clock`() async throws {
        let loop = try await onLoop { loop in loop }
        var last = loop.now()
        for _ in 0..<10_000 {
            let now = loop.now()
            #expect(now >= last)
            last = now
        }
        let real = squall_clock(CLOCK_REALTIME)
        #expect(abs(real - loop.now().nanoseconds) < 5_000_000_000)
    }

    @Test func `signals become events, also when several are waiting`() async throws {
        let received = try await onLoop { loop in
            var received: [Int32] = []
            try loop.onSignals([SIGUSR1, SIGUSR2]) { signal in
                received.append(signal)
                if received.count == 2 { loop.stop() }
            }
            pthread_kill(pthread_self(), SIGUSR1)
            pthread_kill(pthread_self(), SIGUSR2)
            try loop.runUntilStopped()
            return received.sorted()
        }
        #expect(received == [SIGUSR1, SIGUSR2].sorted())
    }
}
