import CSystem
import Chaos
import Foundation
import Mesh
import MeshSocket
import RealWorld
import Testing

private struct TimedOut: Error {}

/// Runs `body` on a thread of its own, which the processes it starts do not outlive.
private func onThread<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// A launcher with a run folder of its own; everything is gone when it is.
private final class Stage {
    let folder: String
    let loop: EventLoop
    let launcher: ProcessLauncher
    var reports: [SupervisorReport] = []
    /// Looked at after each report; stops the loop once it is true.
    var isDone: (Stage) -> Bool = { _ in false }

    init(_ specs: [ProcessSpec], grace: Duration = .seconds(10), logBytesMax: Int = 1 << 20) throws
    {
        var template = Array("/tmp/squall-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TimedOut() }
        self.folder = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        self.loop = try EventLoop()
        self.launcher = ProcessLauncher(
            loop: self.loop,
            runFolder: self.folder,
            specs: specs,
            grace: grace,
            logBytesMax: logBytesMax
        )
        self.launcher.onReport = { self.reports.append($0) }
        self.launcher.onChange = { if self.isDone(self) { self.loop.stop() } }
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    func run(until isDone: @escaping (Stage) -> Bool) throws {
        self.isDone = isDone
        var timedOut = false
        let timer = self.loop.timer(at: self.loop.now() + .seconds(30)) {
            timedOut = true
            self.loop.stop()
        }
        if isDone(self) { self.loop.stop() }
        try self.loop.run()
        self.loop.cancel(timer)
        if timedOut { throw TimedOut() }
    }

    /// Runs until a process wrote a line.
    func run(untilLogOf name: String, has text: String) throws {
        self.loop.afterEvents = {
            let lines = self.launcher.lastLines(of: name)
            if lines.contains(where: { $0.contains(text) }) { self.loop.stop() }
        }
        try self.run { _ in false }
        self.loop.afterEvents = nil
    }

    /// Stops everything and lets go of what refers to this.
    func end() throws {
        var isStopped = false
        self.launcher.stop { isStopped = true }
        try self.run { _ in isStopped }
        self.launcher.onReport = { _ in }
        self.launcher.onChange = {}
    }

    func text(of file: String) throws -> String {
        try String(contentsOfFile: "\(self.folder)/logs/\(file)", encoding: .utf8)
    }
}

private func shell(
    _ name: String,
    _ script: String,
    input: [UInt8] = [],
    stage: Int = 0,
    restart: RestartPolicy = RestartPolicy()
) -> ProcessSpec {
    ProcessSpec(
        name: name,
        path: "/bin/sh",
        arguments: ["-c", script],
        environment: [("PATH", "/usr/bin:/bin")],
        standardInput: input,
        stage: stage,
        restart: restart
    )
}

private let sleeper = "echo up; exec sleep 1000"

struct ProcessLauncherTests {
    @Test func `stages start one after the other, stop in reverse, and leave no process`()
        async throws
    {
        let (starts, ends, gone) = try await onThread {
            let stage = try Stage([
                shell("payments", sleeper, stage: 2), shell("hub", sleeper, stage: 0),
                shell("bank", sleeper, stage: 1),
            ])
            stage.launcher.start()
            for name in ["hub", "bank", "payments"] {
                try stage.run(untilLogOf: name, has: "up")
                stage.launcher.markReady(name)
            }
            guard stage.launcher.isUp else { throw TimedOut() }
            let pids = stage.launcher.status.compactMap(\.pid)
            try stage.end()
            let starts = stage.reports.compactMap { report -> String? in
                guard case .started(let name, _) = report else { return nil }
                return name
            }
            let ends = stage.reports.compactMap { report -> String? in
                guard case .ended(let name, _, _, _, _, _) = report else { return nil }
                return name
            }
            return (starts, ends, pids.count == 3 && pids.allSatisfy { kill($0, 0) != 0 })
        }
        #expect(starts == ["hub", "bank", "payments"])
        #expect(ends == ["payments", "bank", "hub"])
        #expect(gone)
    }

    @Test func `a killed process is noticed, comes back as another, and both are timed`()
        async throws
    {
        let (before, after, status, end) = try await onThread {
            let stage = try Stage([shell("payments", sleeper)])
            stage.launcher.start()
            try stage.run(untilLogOf: "payments", has: "up")
            stage.launcher.markReady("payments")
            let before = stage.launcher.status[0].pid
            guard stage.launcher.kill("payments") else { throw TimedOut() }
            try stage.run { $0.launcher.status[0].restarts == 1 }
            // News of the one that died is no news of its successor.
            stage.launcher.markReady("payments", pid: before)
            guard stage.launcher.status[0].state == .starting else { throw TimedOut() }
            try stage.run(untilLogOf: "payments", has: "up")
            stage.launcher.markReady("payments", pid: stage.launcher.status[0].pid)
            let status = stage.launcher.status[0]
            let end = stage.reports.compactMap { report -> ProcessEnd? in
                guard case .ended(_, _, let end, wasPlanned: true, _, _) = report else {
                    return nil
                }
                return end
            }
            try stage.end()
            return (before, status.pid, status, end)
        }
        #expect(before != nil && after != nil && before != after)
        #expect(status.state == .ready)
        #expect(end == [.signalled(signal: SIGKILL, name: "SIGKILL")])
        let noticed = try #require(status.noticedAfter)
        let serving = try #require(status.servingAfter)
        #expect(noticed > .zero && serving > noticed)
    }

    @Test func `a crash loop is given up and names its culprit with its last lines`()
        async throws
    {
        let (last, status, log) = try await onThread {
            var restart = RestartPolicy()
            restart.backoffMin = .milliseconds(1)
            let stage = try Stage([
                shell("payments", "echo one; echo two >&2; printf three; exit 3", restart: restart)
            ])
            stage.launcher.start()
            try stage.run { $0.launcher.status[0].state == .crashLoop }
            let log = try stage.text(of: "payments.log")
            let result = (stage.reports.last, stage.launcher.status[0], log)
            try stage.end()
            return result
        }
        guard case .gaveUp("payments", ends: 5, _, .exited(code: 3), let lines) = last else {
            Issue.record("not given up: \(String(describing: last))")
            return
        }
        #expect(lines == ["one", "two", "three"])
        #expect(status.restarts == 4)
        #expect(log == String(repeating: "one\ntwo\nthree\n", count: 5).dropLast())
    }

    @Test func `a program that does not exist is given up with its path and the cause`()
        async throws
    {
        let last = try await onThread {
            var restart = RestartPolicy()
            restart.backoffMin = .milliseconds(1)
            let stage = try Stage([
                ProcessSpec(name: "payments", path: "/nowhere/Payments", restart: restart)
            ])
            stage.launcher.start()
            try stage.run { $0.launcher.status[0].state == .crashLoop }
            let last = stage.launcher.status[0].lastExit
            try stage.end()
            return last
        }
        #expect(last?.description.contains("/nowhere/Payments: No such file") == true)
    }

    @Test func `a process that ignores the request to end is killed after the grace period`()
        async throws
    {
        let reports = try await onThread {
            let stage = try Stage(
                [shell("stubborn", "trap '' TERM; echo up; while :; do sleep 1000; done")],
                grace: .milliseconds(50)
            )
            stage.launcher.start()
            try stage.run(untilLogOf: "stubborn", has: "up")
            stage.launcher.markReady("stubborn")
            try stage.end()
            return stage.reports.suffix(2)
        }
        guard case .ignoredRequestToEnd("stubborn", _) = reports.first,
            case .ended("stubborn", _, let end, _, _, _) = reports.last
        else {
            Issue.record("\(reports)")
            return
        }
        #expect(end == .signalled(signal: SIGKILL, name: "SIGKILL"))
    }

    @Test func `a paused process stands still, goes on, and can be stopped while paused`()
        async throws
    {
        let states = try await onThread {
            let stage = try Stage([shell("payments", sleeper)])
            stage.launcher.start()
            try stage.run(untilLogOf: "payments", has: "up")
            stage.launcher.markReady("payments")
            var states: [String] = []
            guard let pid = stage.launcher.status[0].pid else { throw TimedOut() }
            func note() throws {
                let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
                let kernel = text.split(separator: ")").last?.split(separator: " ").first ?? "?"
                states.append("\(stage.launcher.status[0].state) \(kernel == "T")")
            }
            // A stop is complete when the parent may wait for it.
            stage.launcher.pause("payments")
            var information = siginfo_t()
            waitid(P_PID, id_t(pid), &information, WSTOPPED)
            try note()
            stage.launcher.resume("payments")
            waitid(P_PID, id_t(pid), &information, WCONTINUED)
            try note()
            stage.launcher.pause("payments")
            try stage.end()
            return states
        }
        #expect(states == ["paused true", "ready false"])
    }

    @Test func `what a process started ends with it`() async throws {
        try await onThread {
            let stage = try Stage([
                shell("payments", "sleep 1000 & echo child $!; exec sleep 1000")
            ])
            stage.launcher.start()
            try stage.run(untilLogOf: "payments", has: "child")
            let line = stage.launcher.lastLines(of: "payments").first ?? ""
            guard let child = Int32(line.dropFirst("child ".count)) else { throw TimedOut() }
            let fd = squall_pidfd_open(child)
            guard fd >= 0 else { throw TimedOut() }
            var isGone = false
            try stage.loop.watch(fd) {
                isGone = true
                stage.loop.unwatch(fd)
                stage.loop.stop()
            }
            guard let pid = stage.launcher.status[0].pid else { throw TimedOut() }
            // To the process alone: its end must take the child along.
            kill(pid, SIGKILL)
            try stage.run { _ in isGone }
            close(fd)
            try stage.end()
        }
    }

    @Test func `a process reads what it is given, however long, and then finds no end`()
        async throws
    {
        let size = 1_000_000
        let lines = try await onThread {
            let stage = try Stage([
                shell(
                    "hub",
                    "head -c \(size) | wc -c; cat; echo the launcher died",
                    input: Array(repeating: UInt8(ascii: "x"), count: size)
                )
            ])
            stage.launcher.start()
            try stage.run(untilLogOf: "hub", has: "\(size)")
            let lines = stage.launcher.lastLines(of: "hub")
            try stage.end()
            return lines
        }
        #expect(lines == ["\(size)"])
    }

    @Test func `a log stays within its bounds and keeps the newest lines`() async throws {
        let limit = 100_000
        let (current, previous, lines) = try await onThread {
            let stage = try Stage(
                [shell("chatty", "seq 1 100000; echo done; exec sleep 1000")],
                logBytesMax: limit
            )
            stage.launcher.start()
            try stage.run(untilLogOf: "chatty", has: "done")
            let lines = stage.launcher.lastLines(of: "chatty")
            let current = try stage.text(of: "chatty.log")
            let previous = try stage.text(of: "chatty.log.1")
            try stage.end()
            return (current, previous, lines)
        }
        #expect(current.utf8.count <= limit)
        #expect(previous.utf8.count <= limit)
        #expect(current.hasSuffix("99999\n100000\ndone\n"))
        #expect(lines == ["99997", "99998", "99999", "100000", "done"])
    }
}
