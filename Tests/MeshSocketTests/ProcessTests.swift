import Foundation
import Mesh
import MeshSocket
import Testing

struct ProcessTests {
    /// Runs a shell command as a child and returns how it ended.
    private func run(
        _ command: String,
        environment: [(name: String, value: String)] = [],
        folder: String? = nil,
        whenStarted: @escaping @Sendable (pid_t) -> Void = { _ in }
    ) async throws -> (exit: ProcessExit?, output: String) {
        try await onLoop { loop in
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw TimedOut() }
            let start = ProcessStart(
                path: "/bin/sh",
                arguments: ["-c", command],
                environment: environment,
                folder: folder,
                descriptors: [(source: ends[1], target: 1)]
            )
            let pid = try start.spawn()
            close(ends[1])
            var exit: ProcessExit?
            try loop.watchExit(of: pid) {
                exit = $0
                loop.stop()
            }
            whenStarted(pid)
            try loop.runUntilStopped()
            var output: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while case let count = read(ends[0], &buffer, buffer.count), count > 0 {
                output += buffer[..<count]
            }
            close(ends[0])
            // Nothing is left to wait for: the child was reaped.
            guard waitpid(pid, nil, WNOHANG) == -1 else { throw TimedOut() }
            return (exit, String(decoding: output, as: UTF8.self))
        }
    }

    @Test func `a child's exit code is noticed and leaves no zombie`() async throws {
        #expect(try await self.run("exit 7").exit == .exited(code: 7))
        #expect(try await self.run("true").exit == .exited(code: 0))
    }

    @Test func `a killed child is told apart by the signal`() async throws {
        let result = try await self.run("read forever < /dev/zero; sleep 1000") {
            kill($0, SIGKILL)
        }
        #expect(result.exit == .signalled(signal: SIGKILL))
        #expect(result.exit?.description.contains("SIGKILL") == true)
    }

    @Test func `a child gets the environment, folder and descriptors it was given, no others`()
        async throws
    {
        // Not close-on-exec, as what some library opened might be.
        let stray = dup(0)
        defer { close(stray) }
        let result = try await self.run(
            "echo $GREETING; pwd; test -e /proc/$$/fd/\(stray) && echo leaked || echo closed",
            environment: [("GREETING", "hello"), ("PATH", "/usr/bin:/bin")],
            folder: "/usr"
        )
        #expect(result.output == "hello\n/usr\nclosed\n")
    }

    @Test func `a child is the leader of a process group of its own`() async throws {
        let result = try await self.run(
            "cut -d' ' -f1,5 /proc/$$/stat",
            environment: [("PATH", "/usr/bin:/bin")]
        )
        let numbers = result.output.split(whereSeparator: \.isWhitespace)
        #expect(numbers.count == 2)
        #expect(numbers.first == numbers.last)
    }

    @Test func `a child has the default signal handling although its parent blocks signals`()
        async throws
    {
        let exit = try await onLoop { loop in
            try loop.onSignals([SIGTERM]) { _ in }
            let start = ProcessStart(path: "/bin/sleep", arguments: ["1000"])
            let pid = try start.spawn()
            var exit: ProcessExit?
            try loop.watchExit(of: pid) {
                exit = $0
                loop.stop()
            }
            kill(pid, SIGTERM)
            try loop.runUntilStopped()
            return exit
        }
        #expect(exit == .signalled(signal: SIGTERM))
    }

    @Test func `a program that does not exist is an error at once, with its path`() throws {
        let start = ProcessStart(path: "/nowhere/Payments")
        let error = #expect(throws: SystemError.self) { try start.spawn() }
        #expect(error?.call == "execve")
        #expect(error?.errno == ENOENT)
        #expect(error?.description.contains("/nowhere/Payments") == true)
    }

    @Test func `a folder that does not exist is an error with the folder's path`() throws {
        let start = ProcessStart(path: "/bin/true", folder: "/nowhere")
        let error = #expect(throws: SystemError.self) { try start.spawn() }
        #expect(error?.call == "chdir")
        #expect(error?.path == "/nowhere")
    }

    @Test func `a child dies with the thread that started it`() async throws {
        let pid = try await onLoop { _ in
            try ProcessStart(path: "/bin/sleep", arguments: ["1000"]).spawn()
        }
        // The thread is over, or about to be; the child's end is an event, not a matter of time.
        let exit = try await onLoop { loop in
            var exit: ProcessExit?
            try loop.watchExit(of: pid) {
                exit = $0
                loop.stop()
            }
            try loop.runUntilStopped()
            return exit
        }
        #expect(exit == .signalled(signal: SIGKILL))
    }
}
